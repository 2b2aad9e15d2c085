// The user's orders.

import { fill, h, onceAFrame, timeOf } from "../core/dom.js";
import { icon } from "../core/icons.js";
import { moneyText } from "./money.js";
import { sumsOf } from "./sums.js";

const KINDS = { paid: "good", declined: "bad", refunded: "warn", pending: "" };

function statusChip(status) {
  return h("span", { class: `chip ${KINDS[status]}` }, status);
}

function back(href, label) {
  return h("a", { class: "button quiet round", href, "aria-label": label }, icon("back"));
}

// All orders, the newest first.
export class OrderList {
  element = h("section", { class: "orders", "aria-label": "Orders" });
  #app;

  constructor(app) {
    this.#app = app;
    this.#load();
  }

  close() {}

  async #load() {
    const orders = await this.#app.connection
      .call("shop.orders")
      .catch((error) => (this.#app.notify(error.message, "error"), []));
    const head = h(
      "header",
      { class: "row shop-head" },
      back("#/shop", "Back to the shop"),
      h("h1", null, "Orders"),
    );
    const none = h("div", { class: "empty" }, icon("shop"), h("p", null, "You have no orders yet."));
    fill(
      this.element,
      head,
      orders.length
        ? h(
            "ul",
            { class: "card lines" },
            orders.reverse().map((order) => h("li", null, this.#row(order))),
          )
        : none,
    );
  }

  #row({ id, at, lines, total, status }) {
    const what = lines
      .map(({ name, quantity }) => (quantity > 1 ? `${quantity} × ${name}` : name))
      .join(", ");
    return h(
      "a",
      { class: "line order-link", href: `#/shop/orders/${encodeURIComponent(id)}` },
      h(
        "div",
        { class: "grow" },
        h("p", { class: "clip" }, h("strong", null, what)),
        h("p", { class: "muted small" }, timeOf(at)),
      ),
      statusChip(status),
      h("strong", { class: "number line-total" }, moneyText(total)),
    );
  }
}

// One order, live.
export class OrderPage {
  element = h("section", { class: "order", "aria-label": "Order" });
  #app;
  #id;
  #thanks;
  #follow;
  #read = onceAFrame(() => this.#load());

  constructor(app, id, thanks) {
    [this.#app, this.#id, this.#thanks] = [app, id, thanks];
    this.#follow = app.connection.follow(`order/${id}`, { onEvents: this.#read, onEnded: () => {} });
    this.#load();
  }

  close() {
    this.#follow.close();
  }

  async #load() {
    try {
      this.#show(await this.#app.connection.call("shop.order", { order_id: this.#id }));
    } catch (error) {
      fill(
        this.element,
        h(
          "div",
          { class: "empty" },
          h("p", null, error.message),
          h("a", { class: "button", href: "#/shop/orders" }, "Your orders"),
        ),
      );
    }
  }

  #show(order) {
    const thanks =
      this.#thanks &&
      order.status === "paid" &&
      h("p", { class: "thanks", role: "status" }, icon("check"), "Thank you! Your order is paid.");
    const head = h(
      "header",
      { class: "row shop-head" },
      back("#/shop/orders", "All orders"),
      h("h1", { class: "grow" }, "Order"),
      statusChip(order.status),
    );
    const lines = order.lines.map(({ name, price, quantity, total }) =>
      h(
        "li",
        { class: "line" },
        h(
          "div",
          { class: "grow" },
          h("p", { class: "clip" }, h("strong", null, name)),
          h("p", { class: "muted small number" }, `${quantity} × ${moneyText(price)}`),
        ),
        h("strong", { class: "number line-total" }, moneyText(total)),
      ),
    );
    const invoice =
      ["paid", "refunded"].includes(order.status) &&
      h(
        "button",
        { class: "button", type: "button", onclick: () => this.#invoice() },
        icon("down"),
        "Invoice",
      );
    const about = h("p", { class: "muted small" }, `${new Date(order.at).toLocaleString()} · ${order.id}`);
    fill(
      this.element,
      head,
      thanks,
      order.reason && h("p", { class: "wrong" }, order.reason),
      h(
        "div",
        { class: "card" },
        h("ul", { class: "lines" }, lines),
        sumsOf(order),
        h("div", { class: "row wrap" }, h("div", { class: "grow" }, about), invoice),
      ),
    );
  }

  async #invoice() {
    const html = await this.#app.connection
      .call("shop.invoice", { order_id: this.#id })
      .catch((error) => this.#app.notify(error.message, "error"));
    if (!html) return;
    const href = URL.createObjectURL(new Blob([html], { type: "text/html" }));
    h("a", { href, download: `invoice-${this.#id}.html` }).click();
    URL.revokeObjectURL(href);
  }
}
