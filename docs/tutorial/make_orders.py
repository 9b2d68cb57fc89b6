"""Make ``orders.jsonl``, the two hundred orders of the tutorial, the same ones every time.

    python docs/tutorial/make_orders.py

Needs ``python-stdnum`` (checksums of VAT ids) and nothing else. People and companies are invented,
mail goes to example.com, .org and .net (RFC 2606), and telephone numbers are from the ranges that
the authorities of Germany, France, Ireland and Sweden keep for films.

Each line is an object:

    idempotency_key   sent as the header Idempotency-Key; one line has none, on purpose
    expect            completed | rejected (risk) | cancelled (card declined) | refused (answer 4xx)
    field             refused only: JSON pointer of the mistake in the order, or the header's name
    order             the body
"""
# ruff: noqa: INP001 - a script beside its output, not a package

import json
import random
import unicodedata
import uuid
from pathlib import Path
from typing import Any, NamedTuple

from stdnum import get_cc_module
from stdnum.ch import uid

SEED = 20261121
FILE = Path(__file__).with_name("orders.jsonl")
COUNT = 200
REJECTED = 6
DECLINED = 8
GOOD_CARD = "pm_card_visa"  # the provider's own test cards
DECLINED_CARD = "pm_card_chargeDeclined"
DEAR = 100_000  # cents; private people buy one of these


class Country(NamedTuple):
    """What is needed to invent customers of a country.

    Attributes:
        weight: How many of a hundred customers live there, about.
        vat: The form of a VAT id without the country: 9 is a digit, A a letter of the check.
        places: Postal code and city that belong together.
        given, family, streets, firms: Invented names, parted at ``|`` like the places;
            a firm is called after a family.
        number_first: The house number is written into the street, as the country does it.
    """

    code: str
    weight: int
    language: str
    currency: str
    vat: str
    given: str
    family: str
    streets: str
    places: str
    firms: str
    number_first: bool = False


COUNTRIES = (
    Country(
        "DE", 34, "de", "EUR", "999999999",
        "Anja|Jürgen|Björn|Käthe|Sören|Anna-Lena|Hans-Günther|Mehmet|Friederike Charlotte",
        "Müller-Lüdenscheidt|Weiß|Großkreutz|Yıldırım|von der Höhe|Ångermann|Öztürk|Süß",
        "Königsallee|Große Bleichen|Straße des 17. Juni|Am Weißen Berg|Goethestraße|Mühlenweg",
        "10623;Berlin|20354;Hamburg|80331;München|50667;Köln|99084;Erfurt|97070;Würzburg",
        "Blumenhof {} GmbH & Co. KG|Käsewerk {} eG|Straßenbau {} AG|Büro {} GmbH",
    ),
    Country(
        "AT", 6, "de", "EUR", "U99999999",
        "Johanna|Matthäus|Vroni|Jörg", "Grünbäck|Hölzl|Nußbaumer|Strauß",
        "Mariahilfer Straße|Südtiroler Platz|Schloßgasse", "1060;Wien|6020;Innsbruck|8010;Graz",
        "Almrösl Naturkost {} GmbH|Bergbahn {} AG",
    ),
    Country(
        "NL", 7, "nl", "EUR", "999999999B99",
        "Sanne|Daniël|Femke|Jan-Willem|Zoë", "van der Meer-de Vries|'t Hart|IJsbrandsma|Koëter",
        "Prinsengracht|'s-Gravelandseweg|Burgemeester Röellstraat",
        "1015 DV;Amsterdam|3011 AD;Rotterdam|5211 XC;'s-Hertogenbosch",
        "Fietsfabriek {} B.V.|Coöperatie 't Groene Hart {} U.A.",
    ),
    Country(
        "FR", 7, "fr", "EUR", "99999999999",
        "Éloïse|Jean-François|Maëlle|François|Anaïs", "Lefèvre-Duchâteau|Nuñez|Garçon|d'Aubigné",
        "rue de l'Échiquier|boulevard Saint-Michel|allée des Chênes",
        "75010;Paris|69002;Lyon|13006;Marseille|67000;Strasbourg",
        "Boulangerie {} & Fils SARL|Forêts & Énergies {} SAS", number_first=True,
    ),
    Country(
        "ES", 5, "es", "EUR", "B99999999",
        "Begoña|Íñigo|María de los Ángeles|Jesús", "Muñoz Ibáñez|Núñez de la Peña|Güell|Peñalver",
        "Calle de Alcalá|Paseo de la Castellana|Avinguda Diagonal",
        "28014;Madrid|08008;Barcelona|15001;A Coruña|29001;Málaga",
        "Cañas y Viñedos {} S.L.|Diseño {} S.A.",
    ),
    Country(
        "IT", 5, "it", "EUR", "99999999999",
        "Niccolò|Maria Chiara|Giosuè|Desirée", "D'Amico|Dell'Acqua|Nicolò-Ferrà|Santarossa",
        "Via Niccolò Machiavelli|Corso Vittorio Emanuele II|Piazza della Libertà",
        "20121;Milano|00184;Roma|39100;Bolzano|10121;Torino",
        "Caffè {} S.r.l.|Officine {} S.p.A.",
    ),
    Country(
        "PL", 5, "pl", "PLN", "9999999999",
        "Łukasz|Małgorzata|Żaneta|Święcisław", "Wiśniewska|Źdźbło|Kowalczyk-Żak|Gałązka",
        "ul. Świętokrzyska|al. Jerozolimskie|ul. Żółkiewskiego",
        "00-116;Warszawa|31-007;Kraków|90-001;Łódź|50-101;Wrocław",
        "Zakład Żeglarski {} Sp. z o.o.|Mała Księgarnia {} Sp. j.",
    ),
    Country(
        "SE", 6, "sv", "SEK", "999999999901",
        "Åsa|Göran|Märta|Björn-Åke", "Åkerström|Sjöberg|Lindqvist-Höök|Öman",
        "Storgatan|Östra Hamngatan|Sankt Eriksgatan",
        "111 29;Stockholm|411 10;Göteborg|211 22;Malmö|972 31;Luleå",
        "Räksmörgås {} AB|{}s Åkeri AB",
    ),
    Country(
        "DK", 5, "da", "DKK", "99999999",
        "Søren|Astrid|Bjørn|Anne-Mette", "Kjærgaard|Østergård|Nørregaard-Bæk|Thorsø",
        "Nørrebrogade|Østerågade|Søndre Fasanvej", "2200;København N|8000;Aarhus C|9000;Aalborg",
        "Cykelværkstedet {} ApS|Rødgrød {} A/S",
    ),
    Country(
        "CZ", 4, "cs", "CZK", "99999999",
        "Jiří|Kateřina|Přemysl|Aněžka", "Dvořáková|Říha|Růžička|Černá-Novotná",
        "Náměstí Míru|Dlouhá třída|Křižíkova", "120 00;Praha 2|602 00;Brno|301 00;Plzeň",
        "Žluťoučký kůň {} s.r.o.|Pivovar {} a.s.",
    ),
    Country(
        "IE", 3, "en", "EUR", "9999999A",
        "Siobhán|Pádraig|Órla", "Ó Súilleabháin|Ní Dhomhnaill|O'Connor",
        "Grafton Street|Patrick's Quay|Eyre Square",
        "D02 X285;Dublin|T12 W8KP;Cork|H91 E2K3;Galway",
        "{} Sídhe Gaoithe Ltd|Tír na nÓg {} DAC", number_first=True,
    ),
    Country(
        "FI", 3, "fi", "EUR", "99999999",
        "Päivi|Yrjö|Åke", "Hämäläinen|Järvinen-Öhman|Mäkelä", "Mannerheimintie|Hämeenkatu",
        "00100;Helsinki|33100;Tampere|90100;Oulu", "Pyöräkorjaamo {} Oy|Metsäyhtiö {} Oyj",
    ),
    Country(
        "PT", 3, "pt", "EUR", "599999999",
        "João|Conceição|Luís", "Magalhães|Brandão e Sá|Assunção",
        "Rua de Santa Catarina|Praça do Giraldo",
        "4000-447;Porto|1100-148;Lisboa|7000-508;Évora",
        "Padaria {} Lda.|Cortiça {} & Irmãos S.A.",
    ),
    Country(
        "BE", 4, "fr", "EUR", "0999999999",
        "Loïc|Hélène|Gaëtan", "Vandenbroucke|De Ceuninck-Noël|Crèvecœur",
        "Rue Neuve|Koningin Astridlaan",
        "1000;Bruxelles|9000;Gent|4000;Liège", "Brasserie {} SRL|Glasfabriek {} NV",
    ),
    Country(
        "CH", 3, "de", "CHF", "E999999999",
        "Ursina|Beat|Rösli", "Zgraggen|Müller-Bühlmann|Gößi",
        "Bahnhofstrasse|Rue du Rhône|Via Nassa", "8001;Zürich|1204;Genève|6900;Lugano",
        "Chäsi {} GmbH|Uhren {} AG",
    ),
)  # fmt: skip

# On the list of countries that the default risk table does not serve.
NOT_SERVED = (
    Country(
        "RU", 0, "ru", "EUR", "", "Анна|Dmitri|Jekaterina", "Кузнецова|Sokolow|Woronzowa",
        "Newski prospekt|ul. Arbat", "191025;Sankt Petersburg|119002;Moskau", "",
    ),
    Country(
        "BY", 0, "ru", "EUR", "", "Wolha|Алесь", "Kalinouskaja|Шыманскі",
        "praspekt Nesaleschnasci", "220030;Minsk|230023;Hrodna", "",
    ),
)  # fmt: skip


class Product(NamedTuple):
    """Something to order.

    Attributes:
        cents: Gross price in euro cents.
        most: At most so many in one line.
    """

    product_id: str
    kind: str
    description: str
    cents: int
    most: int


PRODUCTS = (
    Product("CAR-LYNK-01", "PURCHASE", "Plug-in-Hybrid, 5 Türen, schwarz", 4_199_000, 1),
    Product("CAR-LYNK-02", "PURCHASE", "Elektrisch, 5 Türen, weiß", 3_549_500, 1),
    Product("EBIKE-2", "PURCHASE", "E-Bike 2, Rahmen M", 279_900, 3),
    Product("EBIKE-CARGO", "PURCHASE", "Lastenrad mit Regenverdeck für vier Kinder", 529_900, 2),
    Product("WALLBOX-11", "PURCHASE", "Wallbox 11 kW", 69_900, 4),
    Product("ROUTER-7590", "PURCHASE", "Router, Wi-Fi 6", 26_995, 5),
    Product("HELMET.M", "PURCHASE", "", 7_990, 9),
    Product("CABLE/T2-7M", "PURCHASE", "Ladekabel Typ 2, 7 m", 18_999, 9),
    Product("MEMBER-MONTH", "MEMBERSHIP", "Monatliche Mitgliedschaft", 54_900, 1),
    Product("FIBRE-250", "MEMBERSHIP", "Glasfaser 250 Mbit/s, erster Monat", 3_999, 1),
    Product("CARSHARE-MONTH", "MEMBERSHIP", "Car-Sharing, Grundgebühr", 1_290, 1),
    Product("EBIKE-FLAT", "MEMBERSHIP", "E-Bike-Flatrate mit Wartung", 5_990, 2),
    Product("LEASE-LYNK-36", "LEASE", "Leasing, 36 Monate, erste Rate", 38_900, 2),
    Product("LEASE-EBIKE-36", "LEASE", "Dienstrad, 36 Monate, erste Rate", 8_917, 5),
    Product("LEASE-PRINTER", "LEASE", "Drucker „Druckwerk 9“, Quartalsrate", 21_033, 3),
)
# Hundredths of the currency for one euro, rounded: prices are invented, not converted.
RATES = {"EUR": 100, "SEK": 1_100, "DKK": 750, "PLN": 430, "CZK": 2_500, "CHF": 95, "JPY": 160}
# Below the limits of the default risk table, in whole units of whatever currency.
LIMITS = {"B2C": 45_000, "SME": 150_000, "FLEET": 800_000, "INDIRECT": 800_000}
NOTES = (
    "Bitte im Hinterhof klingeln – Tor 3",
    "Leveren na 18:00 uur a.u.b.",
    'Rechnung an "Buchhaltung" & <Einkauf>',
    "Cadeau d'anniversaire 🎁",
    "Zostawić u sąsiada; kod do bramy: 1234#",
)
FILM_NUMBERS = {
    "DE": "+49 30 23125 {:03d}",  # Bundesnetzagentur, numbers for media use
    "FR": "+33 1 99 00 17 {:02d}",  # Arcep, numbers for audiovisual works
    "IE": "+353 20 915 0{:03d}",  # ComReg, drama use
    "SE": "+46 8 465 004 {:02d}",  # PTS, numbers for films and books
}


class Inventor:
    """Draws everything from one stream of random numbers, so that the file is always the same."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)  # noqa: S311 - a repeatable file is the point
        self._parties = 0
        self._references = 0

    def pick(self, choices: Any) -> Any:
        """One of several; text is parted at ``|``."""
        several = choices.split("|") if isinstance(choices, str) else choices
        return several[self.below(len(several))]

    def below(self, end: int) -> int:
        """A whole number from 0; other draws of the random module changed between Pythons."""
        return int(self._random.random() * end)

    def often(self, percent: int) -> bool:
        """True in so many of a hundred cases."""
        return self.below(100) < percent

    def key(self) -> str:
        """A random UUID, as front-ends send it."""
        return str(uuid.UUID(int=self._random.getrandbits(128), version=4))

    def country(self) -> Country:
        """A country, by weight."""
        urn = [country for country in COUNTRIES for _ in range(country.weight)]
        found: Country = self.pick(urn)
        return found

    def vat_id(self, country: Country) -> str:
        """A VAT id with a right checksum: drawn until the check accepts one."""
        vat = uid if country.code == "CH" else get_cc_module(country.code.lower(), "vat")
        if vat is None:
            raise LookupError(f"no check of VAT ids for {country.code}")
        while True:
            drawn = "".join(self._vat_character(place) for place in country.vat)
            if vat.is_valid(country.code + drawn):
                return country.code + drawn

    def _vat_character(self, place: str) -> str:
        if place == "9":
            return str(self.below(10))
        return chr(ord("A") + self.below(23)) if place == "A" else place

    def address(self, country: Country) -> dict[str, Any]:
        """A street, and a postal code with its own city."""
        street = self.pick(country.streets)
        postal_code, city = self.pick(country.places).split(";")
        number = f"{1 + self.below(180)}{self.pick(('', '', '', 'a', ' B'))}"
        made = {"line1": street, "house_number": number}
        if country.number_first:
            made = {"line1": f"{number} {street}"}
        if self.often(10):
            made["line2"] = self.pick(("Hinterhaus", "3ème étage", "c/o Empfang", "Top 14"))
        return {
            **made,
            "postal_code": postal_code,
            "city": city,
            "country": country.code,
        }

    def person(self, country: Country) -> dict[str, Any]:
        """A private customer."""
        names = [self.pick(country.given), self.pick(country.family)]
        party = self._party("PERSON", names, country)
        if self.often(60):
            day = (1945 + self.below(60), 1 + self.below(12), 1 + self.below(28))
            party["birth_date"] = "{:04d}-{:02d}-{:02d}".format(*day)
        party["email"] = f"{mailbox(' '.join(names))}@{self._domain()}"
        if country.code in FILM_NUMBERS and self.often(50):
            party["phone"] = FILM_NUMBERS[country.code].format(self.below(100))
        return party

    def firm(self, country: Country) -> dict[str, Any]:
        """A company with its VAT id."""
        name = self.pick(country.firms).format(self.pick(country.family))
        party = self._party("ORGANISATION", [name], country)
        party["vat_id"] = self.vat_id(country)
        party["email"] = (
            f"{self.pick(('einkauf', 'invoice', 'fleet'))}.{mailbox(name)}@{self._domain()}"
        )
        if self.often(25):
            party["addresses"].append(self.address(country))
        return party

    def _domain(self) -> str:
        return f"example.{self.pick(('com', 'org', 'net'))}"

    def _party(self, kind: str, names: list[str], country: Country) -> dict[str, Any]:
        self._parties += 1
        return {
            "party_id": f"C-{100_000 + self._parties * 7}",
            "kind": kind,
            "names": names,
            "addresses": [self.address(country)],
            "language": country.language,
        }

    def order(
        self, channel: str, party: dict[str, Any], currency: str, *, token: str = GOOD_CARD
    ) -> dict[str, Any]:
        """An order that every system accepts."""
        kind = self.pick(("PURCHASE", "PURCHASE", "MEMBERSHIP", "LEASE"))
        fitting = [p for p in PRODUCTS if p.kind == kind and self._fits(p, channel, currency)]
        items = [self._item(self.pick(fitting), channel, currency)]
        for _ in range(self.below(3)):
            further = self._item(self.pick(fitting), channel, currency)
            if minor(items, further) < limit(channel, currency):
                items.append(further)
        return self._complete(channel, kind, party, items, token)

    @staticmethod
    def _fits(product: Product, channel: str, currency: str) -> bool:
        return price(product, currency) * product.most < limit(channel, currency)

    def _item(self, product: Product, channel: str, currency: str) -> dict[str, Any]:
        most = 1 if channel == "B2C" and product.cents > DEAR else product.most
        return item(product, 1 + self.below(most), currency)

    def _complete(
        self, channel: str, kind: str, party: dict[str, Any], items: list[Any], token: str
    ) -> dict[str, Any]:
        self._references += 1
        currency = items[0]["unit_price"]["currency"]
        order: dict[str, Any] = {
            "channel": channel,
            "kind": kind,
            "party": party,
            "items": items,
            "total": money(minor(items), currency),
            "payment": {"method_code": "card", "token": token},
            "reference": f"{channel}-2026/{self._references:05d}",
        }
        if self.often(30):
            order["payment"]["capture_method"] = "automatic"
        if self.often(15):
            order["note"] = self.pick(NOTES)
        return order


def decimals(currency: str) -> int:
    """Decimals of the currencies used here."""
    return 0 if currency == "JPY" else 2


def limit(channel: str, currency: str) -> int:
    """What an order may cost in minor units, so that risk has nothing against it."""
    return LIMITS[channel] * (1 if currency == "JPY" else 100)


def price(product: Product, currency: str) -> int:
    """The price in minor units."""
    hundredths = product.cents * RATES[currency] // 100
    return hundredths // 100 if currency == "JPY" else hundredths


def money(amount: int, currency: str) -> dict[str, str]:
    """Minor units as the facade reads them."""
    places = decimals(currency)
    text = str(amount) if not places else f"{amount // 100}.{amount % 100:02d}"
    return {"amount": text, "currency": currency}


def item(product: Product, quantity: int, currency: str) -> dict[str, Any]:
    """One line of an order."""
    made: dict[str, Any] = {
        "product_id": product.product_id,
        "quantity": quantity,
        "unit_price": money(price(product, currency), currency),
    }
    if product.description:
        made["description"] = product.description
    return made


def minor(items: list[dict[str, Any]], *further: dict[str, Any]) -> int:
    """The sum of the lines in minor units."""
    return sum(
        line["quantity"] * int(line["unit_price"]["amount"].replace(".", ""))
        for line in [*items, *further]
    )


def mailbox(name: str) -> str:
    """A name in the letters of an e-mail address."""
    for letter, latin in zip("ßøæœłıØŁ", ("ss", "o", "ae", "oe", "l", "i", "O", "L"), strict=True):
        name = name.replace(letter, latin)
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode("ascii").lower()
    return "-".join("".join(c if c.isalnum() else " " for c in plain).split()) or "post"


def good(invent: Inventor) -> list[dict[str, Any]]:
    """Orders that go through; every tenth is by a customer who was here before."""
    lines: list[dict[str, Any]] = []
    for number in range(COUNT - len(MISTAKES) - REJECTED - DECLINED):
        channel = invent.pick(("B2C", "B2C", "B2C", "SME", "FLEET", "INDIRECT"))
        country = COUNTRIES[number] if number < len(COUNTRIES) else invent.country()
        party = invent.person(country) if channel == "B2C" else invent.firm(country)
        currency = "JPY" if (number + 20) % 40 == 0 else country.currency
        if (number + 1) % 10 == 0:
            before = lines[invent.below(len(lines))]["order"]
            channel, party = before["channel"], before["party"]
            currency = before["total"]["currency"]
        lines.append(line(invent, "completed", invent.order(channel, party, currency)))
    return lines


def unhappy(invent: Inventor) -> list[dict[str, Any]]:
    """Orders that are right in form: risk rejects some, the card of others is declined."""
    lines = []
    for number in range(REJECTED):
        party = invent.person(NOT_SERVED[number % 2])
        if number == 0:  # lives here, but the goods are to go there
            party["addresses"].insert(0, invent.address(COUNTRIES[0]))
        lines.append(line(invent, "rejected", invent.order("B2C", party, "EUR")))
    for _ in range(DECLINED):
        country = invent.country()
        order = invent.order(
            "B2C", invent.person(country), country.currency, token=DECLINED_CARD
        )  # fmt: skip
        lines.append(line(invent, "cancelled", order))
    return lines


def line(invent: Inventor, expect: str, order: dict[str, Any]) -> dict[str, Any]:
    """One line of the file."""
    return {"idempotency_key": invent.key(), "expect": expect, "order": order}


# What is wrong on purpose: where, and the value that stands there instead (None: left out).
MISTAKES: tuple[tuple[str, Any], ...] = (
    ("/discount_code", "SOMMER26"),
    ("/items/0/quantity", "2"),
    ("/items/0/quantity", 0),
    ("/total/amount", "1.00"),
    ("/items/0/unit_price/currency", "SEK"),
    ("/items/0/unit_price/currency", "EUX"),
    ("/items/0/unit_price/amount", "-49.90"),
    ("/items/0/unit_price/amount", "49.999"),
    ("/items/0/unit_price/amount", 49.9),
    ("/items", []),
    ("/items/0/product_id", "CAR-LYNK-01-WITH-EVERY-OPTION-THAT-EXISTS-IN-2026"),
    ("/payment/token", "4242424242424242"),  # the test card of the card networks' test systems
    ("/party/vat_id", "de 136 695 976"),
    ("/party/names/0", "Bj\u0007örn"),
    ("/party/email", "bjoern.example.com"),
    ("/party/addresses", None),
    ("/channel", "WEB"),
    ("Idempotency-Key", None),
)
# Wrong prices that the total repeats, so that nothing else is wrong.
REPEATED = ("EUX", "-49.90", "49.999")


def wrong(invent: Inventor) -> list[dict[str, Any]]:
    """Orders that the facade refuses; each has one mistake, and the line says where."""
    lines = []
    for pointer, value in MISTAKES:
        country = COUNTRIES[invent.below(2)]
        vat = pointer == "/party/vat_id"
        party = invent.firm(country) if vat else invent.person(country)
        made = line(invent, "refused", invent.order("SME" if vat else "B2C", party, "EUR"))
        if pointer.startswith("/"):
            put(made["order"], pointer, value)
        else:
            del made["idempotency_key"]
        if value in REPEATED:
            agree(made["order"])
        lines.append({"expect": made.pop("expect"), "field": pointer, **made})
    return lines


def put(order: dict[str, Any], pointer: str, value: Any) -> None:
    """Make the mistake."""
    *path, last = pointer.removeprefix("/").split("/")
    place: Any = order
    for part in path:
        place = place[int(part)] if isinstance(place, list) else place[part]
    if isinstance(place, list):
        place[int(last)] = value
    elif value is None:
        del place[last]
    else:
        place[last] = value


def agree(order: dict[str, Any]) -> None:
    """Let the total follow a wrong price, so that the price is the only mistake."""
    only = order["items"][0]
    order["items"] = [{**only, "quantity": 1}]
    order["total"] = dict(only["unit_price"])


def orders(seed: int = SEED) -> list[dict[str, Any]]:
    """All lines, the unusual ones strewn evenly among the usual."""
    invent = Inventor(seed)
    lines = good(invent)
    for number, unusual in enumerate([*unhappy(invent), *wrong(invent)]):
        lines.insert((number * 37 + 11) % len(lines), unusual)
    return lines


def text(lines: list[dict[str, Any]]) -> str:
    """The lines as the file holds them."""
    return "".join(json.dumps(made, ensure_ascii=False) + "\n" for made in lines)


if __name__ == "__main__":
    FILE.write_text(text(orders()), encoding="utf-8")
