"""What the shop sells: colours from mimesis on the categories of ``phrases.yml``."""

from __future__ import annotations

import random
from dataclasses import dataclass

import numpy as np

from cdp.demo.dice import Integers, Numbers, falling_weights
from cdp.demo.phrases import phrases
from cdp.demo.vocabulary import Vocabulary


@dataclass(frozen=True, slots=True)
class Product:
    """A product with one name and one price (in hundredths) per shop: zh in CNY, en in GBP."""

    product_id: str
    sku: str
    category: str
    names: dict[str, str]
    cents: dict[str, int]


@dataclass(frozen=True)
class Catalogue:
    """All products, the popular ones first, with their share of demand.

    ``by_category`` holds product numbers, a row a category.
    """

    products: tuple[Product, ...]
    weights: Numbers
    cents: dict[str, Numbers]
    by_category: Integers

    @property
    def categories(self) -> tuple[str, ...]:
        """The categories, in the order of the rows of ``by_category``."""
        return tuple(phrases()["categories"])


def build_catalogue(vocabularies: dict[str, Vocabulary], coins: random.Random) -> Catalogue:
    """Two colours of every kind of thing."""
    products: list[Product] = []
    for category, nouns in phrases()["categories"].items():
        for zh, en in zip(nouns["zh"], nouns["en"], strict=True):
            for shade in coins.sample(range(min(len(vocabularies["en"].colours), len(vocabularies["zh"].colours))), 2):
                names = {
                    "zh": f"{vocabularies['zh'].colours[shade]}{zh}",
                    "en": f"{vocabularies['en'].colours[shade]} {en}",
                }
                pounds = coins.randrange(6, 80)
                cents = {"en": pounds * 100 - 5, "zh": pounds * 900}
                number = len(products) + 1
                products.append(Product(str(8_800_000_000 + number), f"HL-{number:03d}", category, names, cents))
    coins.shuffle(products)
    prices = {
        language: np.array([product.cents[language] for product in products], dtype=np.float64)
        for language in ("zh", "en")
    }
    rows = [
        [at for at, product in enumerate(products) if product.category == category]
        for category in phrases()["categories"]
    ]
    width = max(map(len, rows))
    by_category = np.array([[row[column % len(row)] for column in range(width)] for row in rows], dtype=np.int64)
    return Catalogue(tuple(products), falling_weights(len(products), 0.7), prices, by_category)
