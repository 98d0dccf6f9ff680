"""Accuracy and cost of ``cdp identity run`` beside Splink. See README.md beside this file."""
