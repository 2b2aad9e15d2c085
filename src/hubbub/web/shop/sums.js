// The totals of a cart or an order.

import { h } from "../core/dom.js";
import { moneyText } from "./money.js";

// Make the list of its sums, and of refunds.
export function sumsOf(whole) {
  const { subtotal, discount, tax, tax_included, total, rounding = null, refunded = null } = whole;
  return h(
    "dl",
    null,
    row("Subtotal", subtotal),
    discount.amount > 0 && row("Discount", { ...discount, amount: -discount.amount }, "good"),
    row(tax_included ? "Tax, included" : "Tax", tax),
    rounding !== null && row("Rounding", rounding),
    row("Total", total, "total"),
    refunded?.amount > 0 && row("Refunded", refunded, "good"),
  );
}

function row(label, money, kind = "") {
  return h(
    "div",
    { class: `sum ${kind}` },
    h("dt", null, label),
    h("dd", { class: "number" }, moneyText(money)),
  );
}
