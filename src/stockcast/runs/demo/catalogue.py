"""The made-up retailer: its locations, suppliers and items, and the terms at which it buys."""

from dataclasses import dataclass
from typing import final

import numpy as np
from jaxtyping import Bool, Float, Int

from stockcast.core.arrays import freeze
from stockcast.core.random import Stream

AS_OF = np.datetime64("2026-11-22")  # a Sunday: the orders go out on a Monday
PLACES = (
    ("LYON", "Auvergne-Rhône-Alpes"),
    ("LILLE", "Hauts-de-France"),
    ("NANTES", "Pays de la Loire"),
    ("BORDEAUX", "Nouvelle-Aquitaine"),
    ("TOULOUSE", "Occitanie"),
    ("RENNES", "Bretagne"),
    ("DIJON", "Bourgogne-Franche-Comté"),
    ("METZ", "Grand Est"),
    ("ROUEN", "Normandie"),
    ("TOURS", "Centre-Val de Loire"),
)


@final
@dataclass(frozen=True, slots=True)
class Category:
    """What the items of a category share: names, price range, and how their demand moves.

    ``weekday`` are factors from Monday on; ``yearly`` is the amplitude of the season and ``peak`` its day of the year.
    """

    name: str
    price: tuple[float, float]
    weekday: tuple[float, ...]
    yearly: float
    peak: int
    products: tuple[str, ...]


WEEKEND = (0.82, 0.78, 0.85, 0.95, 1.15, 1.40, 1.05)
WORKDAY = (1.15, 1.08, 1.05, 1.05, 1.07, 0.95, 0.65)

CATEGORIES = (
    Category("Drinks", (0.9, 5.5), WEEKEND, 0.32, 200, (
        "Sparkling water 1.5 l", "Orange juice 1 l", "Iced tea 6 x 0.33 l", "Ginger ale 0.75 l",
        "Apple juice 1 l", "Tonic water 4 x 0.2 l", "Lemonade 1.5 l", "Oat drink 1 l")),
    Category("Pantry", (1.2, 9.5), WEEKEND, 0.08, 350, (
        "Basmati rice 1 kg", "Tomato passata 690 g", "Olive oil 750 ml", "Chickpeas 400 g",
        "Penne 500 g", "Sea salt 1 kg", "Wildflower honey 500 g", "Flour 1 kg")),
    Category("Coffee and tea", (3.5, 16.0), WORKDAY, 0.18, 15, (
        "Espresso beans 1 kg", "Filter coffee 500 g", "Green tea, 20 bags", "Herbal infusion, 20 bags",
        "Coffee capsules, 30", "Earl Grey 250 g", "Decaf ground 250 g", "Cocoa powder 200 g")),
    Category("Household", (1.5, 12.0), WEEKEND, 0.06, 90, (
        "Dish soap 500 ml", "Laundry detergent 2 l", "Kitchen roll, 4", "Bin liners 35 l",
        "Sponges, 5", "Glass cleaner 750 ml", "Baking paper 15 m", "Candles, 10")),
    Category("Pet food", (1.1, 28.0), WORKDAY, 0.10, 20, (
        "Cat food, salmon 400 g", "Dog biscuits 2 kg", "Bird seed 5 kg", "Cat litter 10 l",
        "Cat food, chicken 400 g", "Dog chews, 7", "Hamster mix 1 kg", "Fish flakes 100 g")),
    Category("Garden", (3.0, 24.0), WEEKEND, 0.60, 130, (
        "Potting soil 20 l", "Tomato fertiliser 1 l", "Hose connector 1/2 in", "Grass seed 1 kg",
        "Plant ties 50 m", "Terracotta pot 20 cm", "Pruning shears", "Slug barrier 2 kg")),
    Category("Toys", (6.0, 38.0), WEEKEND, 0.45, 345, (
        "Wooden puzzle", "Card game", "Building blocks, 120", "Plush rabbit",
        "Marble run", "Colouring set", "Dice game", "Toy tractor")),
    Category("Spare parts", (4.0, 45.0), WORKDAY, 0.05, 30, (
        "Water filter, 3", "Vacuum bags, 8", "Lamp socket E27", "Door hinge, 2",
        "Fridge bulb", "Tap washer set", "Coffee machine seal", "Shelf brackets, 2")),
)  # fmt: skip

# supplier, lead time in days, its standard deviation, order days, review period, money per order
SUPPLIERS = (
    ("ALPINA", 2, 0.0, "mon,wed,fri", None, 15.0),
    ("BONNARD", 4, 0.0, "tue,fri", None, 20.0),
    ("CASTEL & FILS", 5, 0.0, "mon,thu", None, 25.0),
    ("DELMAR", 7, 1.0, "wed", None, 30.0),
    ("KESTREL IMPORT", 21, 3.0, "1st,15th", None, 90.0),
    ("NORDLYS", 10, 1.0, "mon", None, 40.0),
    ("PRIMEUR", 1, 0.0, "", 2, 12.0),
    ("TAMARIN", 14, 2.0, "thu", None, 60.0),
)


CLOSURES = (("BONNARD", "2026-08-03", "2026-08-16"), ("BONNARD", "2026-12-24", "2027-01-03"))


@final
@dataclass(frozen=True, slots=True)
class Supplier:
    """A supplier's terms; ``order_days`` empty says that every day is one, and orders then go out every review."""

    name: str
    lead_time_days: int
    lead_time_sd_days: float
    order_days: str
    review_period_days: int | None
    order_cost: float


@final
@dataclass(frozen=True, slots=True)
class Catalogue:
    """The items, one entry each in the order of their sku.

    Parameters
    ----------
    category, supplier
        Index into ``CATEGORIES`` and into ``suppliers``.
    rate
        True demand per day at a place of scale 1, before season, trend and promotions.
    intermittent
        Whether the item sells on few days: every third one.
    launch, end
        First and last day on sale, counted from the first day of the history; −1 and far
        beyond its end where always.
    locations, scale
        Name and region of each location, and its size.
    """

    sku: tuple[str, ...]
    description: tuple[str, ...]
    category: Int[np.ndarray, " item"]
    supplier: Int[np.ndarray, " item"]
    suppliers: tuple[Supplier, ...]
    rate: Float[np.ndarray, " item"]
    intermittent: Bool[np.ndarray, " item"]
    price: Float[np.ndarray, " item"]
    unit_cost: Float[np.ndarray, " item"]
    pack_size: Int[np.ndarray, " item"]
    moq: Int[np.ndarray, " item"]
    order_cost: Float[np.ndarray, " item"]
    growth: Float[np.ndarray, " item"]
    elasticity: Float[np.ndarray, " item"]
    launch: Int[np.ndarray, " item"]
    end: Int[np.ndarray, " item"]
    locations: tuple[tuple[str, str], ...]
    scale: Float[np.ndarray, " location"]

    def __post_init__(self) -> None:
        """Freeze the arrays."""
        held = {name: getattr(self, name) for name in self.__dataclass_fields__}
        freeze(self, **{name: value for name, value in held.items() if isinstance(value, np.ndarray)})


def make_catalogue(skus: int, locations: int, days: int, seed: int) -> Catalogue:
    """Draw the items and the terms at which they are bought."""
    draw = Stream(seed, "demo/catalogue").generator()
    item = np.arange(skus)
    intermittent = item % 3 == 2
    category = (item + item // len(CATEGORIES)) % len(CATEGORIES)
    suppliers = tuple(Supplier(*terms) for terms in SUPPLIERS[: min(max(skus // 5, 5), len(SUPPLIERS))])
    supplier = (item * 3 + item // 7) % len(suppliers)

    low, high = (np.array([CATEGORIES[at].price[end] for at in category]) for end in (0, 1))
    price = np.round(np.exp(draw.uniform(np.log(low), np.log(high))) * 10) / 10 - 0.01
    unit_cost = np.round(price * draw.uniform(0.48, 0.72, skus), 2)
    fast = np.exp(draw.uniform(np.log(7.0), np.log(45.0), skus))
    slow = np.exp(draw.uniform(np.log(0.05), np.log(0.30), skus))
    rate = np.where(intermittent, slow, fast)

    pack_size = np.where(intermittent, draw.choice([1, 2, 4], skus), draw.choice([6, 8, 10, 12, 24], skus))
    moq = pack_size * np.where(intermittent, 1, draw.choice([1, 2, 4], skus))
    # an importer sells by the case: more than a month's demand of a slow item, and of every seventh fast one
    month = np.ceil(np.where(intermittent, 40.0, 50.0) * rate).astype(np.int64)
    bulk = np.where(intermittent, item % 6 == 2, item % 14 == 4)
    moq = np.where(bulk, np.ceil(month / pack_size).astype(np.int64) * pack_size, moq)

    launch = np.full(skus, -1)
    end = np.full(skus, days + 10_000)
    new = np.flatnonzero(item % 13 == 3)
    launch[new] = days - np.round(draw.uniform(0.05, 0.4, len(new)) * days).astype(np.int64)
    leaving = np.flatnonzero(item % 16 == 6)
    shift = np.where(np.arange(len(leaving)) % 2 == 0, -draw.uniform(0.03, 0.12, len(leaving)) * days, 24.0)
    end[leaving] = days + np.round(shift).astype(np.int64)
    return Catalogue(
        sku=tuple(_sku(at) for at in range(skus)),
        description=tuple(_description(at, int(category[at])) for at in range(skus)),
        category=category,
        supplier=supplier,
        suppliers=suppliers,
        rate=rate,
        intermittent=intermittent,
        price=price,
        unit_cost=unit_cost,
        pack_size=pack_size,
        moq=moq,
        order_cost=np.where(item % 4 == 0, 2.5, 1.0),
        growth=draw.uniform(-0.20, 0.28, skus),
        elasticity=-draw.uniform(0.7, 1.9, skus),
        launch=launch,
        end=end,
        locations=tuple(sorted(_place(at) for at in range(locations))),
        scale=np.array([(0.75, 1.0, 0.6, 0.85, 0.7)[at % 5] for at in range(locations)]),
    )


def _sku(at: int) -> str:
    """Give an id that is easily spoiled: leading zeros, ascending as text."""
    return f"{7 + at * 13:06d}"


def _place(at: int) -> tuple[str, str]:
    name, region = PLACES[at % len(PLACES)]
    return (name if at < len(PLACES) else f"{name}-{at // len(PLACES) + 1}", region)


def _description(at: int, category: int) -> str:
    turn = at // len(CATEGORIES)
    products = CATEGORIES[category].products
    again = turn // len(products)
    return products[turn % len(products)] + (f", no. {again + 1}" if again else "")
