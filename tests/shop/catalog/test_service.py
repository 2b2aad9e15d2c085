"""The service of the catalogue: its methods are methods of shop."""

from __future__ import annotations

from hubbub.service import methods_of
from hubbub.shop.catalog.service import CatalogService
from hubbub.shop.service import Shop


def test_shop_has_every_method_of_the_catalogue_before_its_own() -> None:
    catalogue, shop = list(methods_of(CatalogService)), list(methods_of(Shop))

    assert "shop.set_product" in catalogue
    assert "shop.checkout" not in catalogue
    assert shop[: len(catalogue)] == catalogue
