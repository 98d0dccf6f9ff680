"""How dirty the generated feeds are. Rates are shares between 0 and 1 of what their name says."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Level = Literal["easy", "normal", "hard"]


@dataclass(frozen=True)
class Difficulty:
    """The rates of everything that makes feeds hard to read and persons hard to recognise."""

    typo: float  # names, e-mails, phones and streets typed by hand
    other_spelling: float  # nickname, pinyin or traditional script instead of the name in the passport
    single_contact: float  # accounts that give an e-mail or a phone, not both
    bare_identify: float  # signed-in devices that send the user id and no traits
    other_email: float  # CRM contacts, surveys and guests under a second address
    shared_contact: float  # members of a household who use the phone or the e-mail of another one
    placeholder: float  # orders and contacts with a made-up phone or e-mail
    moves: float  # persons who move within the period; as many change their number
    guest: float  # orders of account holders without signing in
    unclaimed_device: float  # devices of known persons that never sign in
    second_contact: float  # persons with two contacts in the CRM
    bad_rows: float  # rows that break the contract, per batch
    duplicates: float  # rows delivered twice, exactly
    late: float  # rows that arrive days after they happened


LEVELS: dict[Level, Difficulty] = {
    "easy": Difficulty(
        typo=0.01,
        other_spelling=0.05,
        single_contact=0.3,
        bare_identify=0.2,
        other_email=0.05,
        shared_contact=0.05,
        placeholder=0.004,
        moves=0.03,
        guest=0.04,
        unclaimed_device=0.01,
        second_contact=0.02,
        bad_rows=0.003,
        duplicates=0.003,
        late=0.01,
    ),
    "normal": Difficulty(
        typo=0.04,
        other_spelling=0.16,
        single_contact=0.62,
        bare_identify=0.45,
        other_email=0.16,
        shared_contact=0.3,
        placeholder=0.012,
        moves=0.08,
        guest=0.09,
        unclaimed_device=0.02,
        second_contact=0.05,
        bad_rows=0.006,
        duplicates=0.006,
        late=0.02,
    ),
    "hard": Difficulty(
        typo=0.09,
        other_spelling=0.28,
        single_contact=0.75,
        bare_identify=0.6,
        other_email=0.28,
        shared_contact=0.5,
        placeholder=0.03,
        moves=0.15,
        guest=0.16,
        unclaimed_device=0.05,
        second_contact=0.1,
        bad_rows=0.015,
        duplicates=0.015,
        late=0.05,
    ),
}
