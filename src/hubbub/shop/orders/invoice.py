"""An invoice of an order."""

from __future__ import annotations

from html import escape

from ...errors import Conflict
from ...extras import needs
from ...money import Money
from .order import Order

__all__ = ["invoice_html", "invoice_pdf"]

_STYLE = """
body { font: 14px/1.5 system-ui, sans-serif; max-width: 44em; margin: 2em auto; padding: 0 1em; }
table { border-collapse: collapse; width: 100%; }
th, td { padding: .4em .6em; text-align: left; border-bottom: 1px solid #ddd; }
.number { text-align: right; font-variant-numeric: tabular-nums; }
tfoot td { border-bottom: 0; } .total td { font-weight: bold; border-top: 2px solid #333; }
"""


def invoice_html(order: Order, locale: str = "en_US") -> str:
    """
    Write an invoice as a page of HTML, without scripts or links.

    Args:
        order: a paid order.
        locale: the format of money and dates, like ``de_DE``.

    Raises:
        Conflict: the order was not paid.
        Invalid: the locale does not exist.
    """
    rows = "".join(
        f"<tr><td>{escape(line.name)}<br><small>{escape(line.sku)}</small></td>"
        f'<td class="number">{line.quantity}</td>'
        f'<td class="number">{escape(_shown(line.price, locale))}</td>'
        f'<td class="number">{escape(_shown(line.total, locale))}</td></tr>'
        for line in order.lines
    )
    sums = "".join(
        f'<tr{" class=total" if what == "Total" else ""}><td colspan="3">{what}</td>'
        f'<td class="number">{escape(_shown(amount, locale))}</td></tr>'
        for what, amount in _sums(order)
    )
    return (
        f'<!doctype html><html lang="{escape(locale.replace("_", "-"))}"><head>'
        f'<meta charset="utf-8"><title>Invoice {order.id}</title><style>{_STYLE}</style></head>'
        f"<body><h1>Invoice</h1><p>Order {order.id}<br>{escape(_date(order, locale))}</p>"
        '<table><thead><tr><th>Product</th><th class="number">Quantity</th>'
        '<th class="number">Price</th><th class="number">Total</th></tr></thead>'
        f"<tbody>{rows}</tbody><tfoot>{sums}</tfoot></table></body></html>"
    )


def invoice_pdf(order: Order, locale: str = "en_US") -> bytes:
    """
    Write an invoice as a PDF; this takes milliseconds, so call it in a thread.

    Needs ``fpdf2``, which the extra ``pdf`` installs. Its built-in fonts have only Latin letters:
    other characters become question marks.

    Raises:
        Conflict: the order was not paid.
        Invalid: the locale does not exist.
        MissingExtra: the extra is not installed.
    """
    with needs("pdf", "An invoice as PDF"):
        from fpdf import FPDF  # noqa: PLC0415  # an extra
    rows = [
        (
            line.name,
            str(line.quantity),
            _shown(line.price, locale),
            _shown(line.total, locale),
        )
        for line in order.lines
    ]
    rows += [(what, "", "", _shown(amount, locale)) for what, amount in _sums(order)]
    paper = FPDF()
    paper.set_title(f"Invoice {order.id}")
    paper.set_creation_date(order.at)
    paper.add_page()
    paper.set_font("Helvetica", size=20)
    paper.cell(text="Invoice", new_x="LMARGIN", new_y="NEXT")
    paper.set_font("Helvetica", size=11)
    paper.cell(text=f"Order {order.id}", new_x="LMARGIN", new_y="NEXT")
    paper.cell(text=_latin(_date(order, locale)), new_x="LMARGIN", new_y="NEXT")
    paper.ln()
    with paper.table(
        col_widths=(6, 2, 3, 3), text_align=("LEFT", "RIGHT", "RIGHT", "RIGHT")
    ) as table:
        for cells in (("Product", "Quantity", "Price", "Total"), *rows):
            table.row([_latin(cell) for cell in cells])
    return bytes(paper.output())


def _sums(order: Order) -> list[tuple[str, Money]]:
    if order.status not in ("paid", "refunded"):
        raise Conflict(f"This order is {order.status}; only a paid order has an invoice.")
    sums = [("Subtotal", order.subtotal)]
    if order.discount:
        sums.append(("Discount", -order.discount))
    sums.append(("Tax, included" if order.tax_included else "Tax", order.tax))
    if order.rounding is not None:
        sums.append(("Rounding", order.rounding))
    sums.append(("Total", order.total))
    if order.refunded:
        sums.append(("Refunded", -order.refunded))
    return sums


def _shown(amount: Money, locale: str) -> str:
    return amount.format(locale)


def _date(order: Order, locale: str) -> str:
    from babel.dates import format_datetime  # noqa: PLC0415  # the amounts have asked for it

    return format_datetime(order.at, "long", locale=locale.replace("-", "_"))


def _latin(text: str) -> str:
    plain = text.replace("\N{NO-BREAK SPACE}", " ").replace("\N{NARROW NO-BREAK SPACE}", " ")
    return plain.replace("€", "EUR").encode("latin-1", "replace").decode("latin-1")
