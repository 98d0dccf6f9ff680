"""`python -m cdp`: the command line where its script is not on the path."""

from cdp.command import main

if __name__ == "__main__":
    main()
