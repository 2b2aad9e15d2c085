// The cart as a page, with the checkout.

import { field, valuesOf } from "../core/dialog.js";
import { fill, h } from "../core/dom.js";
import { icon } from "../core/icons.js";
import { newKey } from "../core/rpc.js";
import { moneyText } from "./money.js";
import { sumsOf } from "./sums.js";

const QUANTITY_MAX = 1_000;
// The sandbox's test cards: they charge no money.
const CARDS = [
  ["pm_card_visa", "•••• 4242: pays"],
  ["pm_card_mastercard", "•••• 4444: pays"],
  ["pm_card_chargeDeclined", "•••• 0002: declined"],
  ["pm_card_chargeDeclinedInsufficientFunds", "•••• 9995: insufficient funds"],
  ["pm_card_chargeDeclinedExpiredCard", "•••• 0069: expired"],
  ["pm_card_late", "•••• 0202: pays late"],
];

// The cart as a page.
export class CartPage {
  element = h("section", { class: "cart", "aria-label": "Cart" });
  #app;
  #cart;
  #paying = false;
  #refusal = null;
  #card = CARDS[0][0];
  #ended = new AbortController();

  constructor(app, cart) {
    [this.#app, this.#cart] = [app, cart];
    cart.addEventListener("change", () => this.#show(), { signal: this.#ended.signal });
    this.#show();
  }

  close() {
    this.#ended.abort();
  }

  #show() {
    const { cart } = this.#cart;
    if (!cart) return;
    const focused = this.element.contains(document.activeElement)
      ? document.activeElement.getAttribute("aria-label")
      : null;
    const head = h(
      "header",
      { class: "row shop-head" },
      h("a", { class: "button quiet round", href: "#/shop", "aria-label": "Back to the shop" }, icon("back")),
      h("h1", null, "Cart"),
    );
    const none = h(
      "div",
      { class: "empty" },
      icon("cart"),
      h("p", null, "Your cart is empty."),
      h("a", { class: "button", href: "#/shop" }, "Browse products"),
    );
    fill(
      this.element,
      head,
      cart.lines.length ? h("div", { class: "cart-columns" }, this.#lines(cart), this.#checkout(cart)) : none,
    );
    if (focused) this.element.querySelector(`[aria-label="${CSS.escape(focused)}"]`)?.focus();
  }

  #lines({ lines }) {
    return h(
      "ul",
      { class: "card lines" },
      lines.map((line) => h("li", { class: "line" }, this.#line(line))),
    );
  }

  #line({ sku, name, price, quantity, total, stock, new_price }) {
    const set = (to) => this.#cart.change("shop.set_quantity", { sku, quantity: to });
    const step = (name_, label, to, disabled = false) =>
      h(
        "button",
        {
          class: "button quiet round compact",
          type: "button",
          "aria-label": label,
          disabled,
          onclick: () => set(to),
        },
        icon(name_),
      );
    return [
      h(
        "div",
        { class: "grow" },
        h("p", { class: "clip" }, h("strong", null, name)),
        h(
          "p",
          { class: "muted small number" },
          moneyText(price),
          " each",
          stock !== null &&
            stock < quantity &&
            h("span", { class: "chip bad" }, stock > 0 ? `only ${stock} left` : "sold out"),
        ),
        new_price && h("p", { class: "chip warn" }, `now ${moneyText(new_price)}`),
      ),
      h(
        "div",
        { class: "row stepper", role: "group", "aria-label": `Quantity of ${name}` },
        step("minus", `Remove one ${name}`, quantity - 1),
        h("output", { class: "number" }, String(quantity)),
        step("plus", `Add one ${name}`, quantity + 1, quantity >= QUANTITY_MAX),
      ),
      h("strong", { class: "number line-total" }, moneyText(total)),
      step("trash", `Remove ${name}`, 0),
    ];
  }

  #checkout(cart) {
    const prices = cart.lines.some(({ new_price }) => new_price);
    return h(
      "div",
      { class: "card pay" },
      h("h2", null, "Summary"),
      this.#coupon(cart),
      sumsOf(cart),
      prices &&
        h(
          "button",
          { class: "button", type: "button", onclick: () => this.#cart.change("shop.accept_prices") },
          "Accept new prices",
        ),
      this.#payment(cart),
    );
  }

  #coupon({ coupon, coupon_problem }) {
    if (coupon) {
      const off = h(
        "button",
        {
          class: "button quiet round compact",
          type: "button",
          "aria-label": `Remove coupon ${coupon}`,
          onclick: () => this.#cart.change("shop.remove_coupon"),
        },
        icon("close"),
      );
      return h(
        "div",
        { class: "row" },
        h("span", { class: `chip ${coupon_problem ? "warn" : "good"}` }, icon("check"), coupon),
        h("span", { class: "small muted grow" }, coupon_problem),
        off,
      );
    }
    const apply = (event) => (
      event.preventDefault(),
      this.#cart.change("shop.apply_coupon", valuesOf(event.target))
    );
    return h(
      "form",
      { class: "row coupon", onsubmit: apply },
      h("input", {
        class: "input",
        name: "code",
        required: true,
        "aria-label": "Coupon",
        placeholder: "Coupon",
        autocomplete: "off",
      }),
      h("button", { class: "button", type: "submit" }, "Apply"),
    );
  }

  #payment(cart) {
    const busy = this.#paying || Boolean(cart.checkout);
    const cards = field({
      name: "payment",
      label: "Test card",
      options: CARDS,
      onchange: ({ target }) => (this.#card = target.value),
    });
    cards.querySelector("select").value = this.#card;
    const pay = h(
      "button",
      { class: "button primary pay-button", type: "submit", disabled: busy },
      busy ? "Paying…" : `Pay ${moneyText(cart.total)}`,
    );
    return h(
      "form",
      { class: "column", onsubmit: (event) => (event.preventDefault(), this.#pay()) },
      cards,
      this.#refusal && h("p", { class: "wrong", role: "alert" }, this.#refusal),
      pay,
      h("p", { class: "small muted" }, "This is a sandbox. No money is charged."),
    );
  }

  async #pay() {
    if (this.#paying) return;
    [this.#paying, this.#refusal] = [true, null];
    this.#show();
    try {
      // After a lost connection the same key is sent again, so it is paid once; a response ends it.
      const order = await this.#app.connection.call("shop.checkout", { payment: this.#card, key: newKey() });
      this.#app.go(`#/shop/orders/${encodeURIComponent(order.id)}/thanks`);
    } catch (error) {
      this.#refusal = error.message;
    } finally {
      this.#paying = false;
      await this.#cart.load();
    }
  }
}
