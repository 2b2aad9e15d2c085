// Orders that wait for the payment provider, and what an admin can do about them.

import { Table } from "./table.js";
import { confirmDialog, formDialog } from "../core/dialog.js";
import { h, timeOf } from "../core/dom.js";
import { newKey } from "../core/rpc.js";
import { moneyText } from "../shop/money.js";

export class OrdersCard {
  #app;
  #orders = [];
  #table = new Table(
    "Open orders",
    [["Order"], ["Total", "number"], ["Waiting for"], [""]],
    (order) => this.#cells(order),
    "No orders are waiting for the payment provider.",
  );
  element = h(
    "section",
    { class: "card" },
    h("h2", null, "Open orders"),
    h("div", { class: "scroll" }, this.#table.element),
  );

  constructor(app) {
    this.#app = app;
  }

  async load() {
    this.#orders = await this.#app.connection.call("shop.open_orders");
    this.show();
  }

  // Show the last result again: a name that has loaded since changes a row.
  show() {
    this.#table.show(
      this.#orders.map((order) => ({ ...order, buyer: this.#app.profiles.name(order.user) })),
      ({ id }) => id,
    );
  }

  #cells(order) {
    const { id, at, buyer, total, status } = order;
    const act = (label, kind, onclick) =>
      h(
        "button",
        {
          class: `button compact ${kind}`,
          type: "button",
          "aria-label": `${label} the order of ${buyer}`,
          onclick,
        },
        label,
      );
    const actions = status === "pending" && [
      act("Settle", "", () => this.#settle(order)),
      act("Cancel", "danger", () => this.#cancel(order)),
    ];
    return [
      h(
        "td",
        null,
        h("p", { class: "clip" }, `${buyer}, ${timeOf(at)}`),
        h("p", { class: "clip muted small" }, id),
      ),
      h("td", { class: "number" }, moneyText(total)),
      h("td", null, h("span", { class: "chip" }, waitsFor(order))),
      h("td", null, h("div", { class: "row actions" }, actions)),
    ];
  }

  // Each dialog has one idempotency key, so that pressing its button twice acts once.
  async #cancel({ id, buyer }) {
    const key = newKey();
    const act = () => this.#app.connection.call("shop.cancel_order", { order_id: id, key });
    const text = "The stock is released, and any charge for the order is refunded.";
    if (
      await confirmDialog(`Cancel the order of ${buyer}?`, text, {
        submit: "Cancel order",
        danger: true,
        act,
      })
    )
      await this.#done(`The order of ${buyer} is cancelled.`);
  }

  async #settle({ id, buyer }) {
    const key = newKey();
    const fields = [{ name: "payment", label: "Payment ID (leave empty if paid another way)", maxlength: 255 }];
    const act = ({ payment }) =>
      this.#app.connection.call("shop.settle_order", { order_id: id, payment_id: payment.trim() || null, key });
    const text = "Any other charge for this order is refunded.";
    if (await formDialog(`Mark the order of ${buyer} as paid?`, fields, { text, submit: "Mark as paid", act }))
      await this.#done(`The order of ${buyer} is paid.`);
  }

  async #done(text) {
    this.#app.notify(text, "good");
    await this.load();
  }
}

function waitsFor({ status, reconciliation }) {
  if (status === "pending") return "payment";
  return reconciliation === "pending" ? `${status}: the provider` : "refund";
}
