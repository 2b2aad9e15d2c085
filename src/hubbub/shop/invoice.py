"""Where applications import ``invoice_pdf`` from."""

from __future__ import annotations

from .orders.invoice import invoice_html, invoice_pdf

__all__ = ["invoice_html", "invoice_pdf"]
