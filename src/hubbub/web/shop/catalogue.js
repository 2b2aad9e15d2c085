// The products, with live prices and stocks.

import { fill, h, onceAFrame, svg } from "../core/dom.js";
import { icon } from "../core/icons.js";
import { moneyText } from "./money.js";
import { editProduct } from "./product.js";
import { readProducts } from "./products.js";

// The number of products on a page, and of those added by "Show more".
const PAGE = 60;
// A connection can follow 1,000 streams; products further down are loaded again with the rest.
const LIVE_MAX = 480;
const LOW = 5;
const CATALOGUE = "catalogue/products";

export class Catalogue {
  element = h("section", { class: "products", "aria-label": "Products" });
  #app;
  #cart;
  #products = new Map();
  #follows = new Map();
  #list = null;
  #wanted = PAGE;
  #closed = false;
  #draw = onceAFrame(() => this.#show());
  #stale = new Set();
  #refresh = onceAFrame(() => this.#readStale());

  constructor(app, cart) {
    [this.#app, this.#cart] = [app, cart];
    fill(this.element, h("div", { class: "empty", role: "status" }, "Loading…"));
    this.#list = app.connection.follow(CATALOGUE, { onEvents: () => this.#load(), onEnded: () => {} });
    this.#load();
  }

  close() {
    this.#closed = true;
    this.#list.close();
    for (const follow of this.#follows.values()) follow.close();
  }

  async #load() {
    try {
      const products = await readProducts(this.#app.connection, this.#wanted);
      if (this.#closed) return;
      this.#products = new Map(products.map((product) => [product.sku, product]));
      for (const product of products.slice(0, LIVE_MAX)) this.#follow(product);
      this.#draw();
    } catch (error) {
      this.#app.notify(error.message, "error");
    }
  }

  #follow({ sku, stream }) {
    if (this.#follows.has(sku)) return;
    const changed = () => (this.#stale.add(sku), this.#refresh());
    this.#follows.set(sku, this.#app.connection.follow(stream, { onEvents: changed, onEnded: () => {} }));
  }

  async #readStale() {
    const skus = [...this.#stale];
    this.#stale.clear();
    const products = await Promise.all(
      skus.map((sku) => this.#app.connection.call("shop.product", { sku }).catch(() => null)),
    );
    for (const product of products) if (product) this.#products.set(product.sku, product);
    this.#draw();
  }

  #show() {
    const products = [...this.#products.values()];
    const head = h(
      "header",
      { class: "row shop-head" },
      h("h1", { class: "grow" }, "Shop"),
      this.#app.role === "admin" &&
        h(
          "button",
          { class: "button", type: "button", onclick: () => this.#edit(null) },
          icon("plus"),
          "New product",
        ),
    );
    const none = h("div", { class: "empty" }, icon("shop"), h("p", null, "There are no products yet."));
    // Keep the focus on the button that the user has just pressed.
    const focused = this.element.contains(document.activeElement) && document.activeElement.dataset.sku;
    fill(
      this.element,
      head,
      products.length
        ? h(
            "ul",
            { class: "product-grid" },
            products.map((product) => h("li", null, this.#card(product))),
          )
        : none,
      products.length === this.#wanted && this.#more(),
    );
    if (focused) this.element.querySelector(`button[data-sku="${CSS.escape(focused)}"]`)?.focus();
  }

  #more() {
    const act = ({ target }) => {
      target.disabled = true;
      this.#wanted += PAGE;
      const shown = this.#products.size;
      // A keyboard user continues at the first new product.
      const goOn = () => this.element.querySelectorAll("button[data-sku]")[shown]?.focus();
      this.#load().then(() => requestAnimationFrame(goOn));
    };
    return h(
      "p",
      { class: "more" },
      h("button", { class: "button", type: "button", onclick: act }, "Show more"),
    );
  }

  #card(product) {
    const { sku, name, price, stock, category } = product;
    const out = stock !== null && stock <= 0;
    const add = h(
      "button",
      {
        class: "button primary",
        type: "button",
        "data-sku": sku,
        disabled: out,
        "aria-label": `Add ${name} to the cart`,
        onclick: () => this.#cart.add(sku, name),
      },
      icon("plus"),
      "Add",
    );
    const edit =
      this.#app.role === "admin" &&
      h(
        "button",
        {
          class: "button quiet round",
          type: "button",
          "aria-label": `Edit ${name}`,
          onclick: () => this.#edit(product),
        },
        icon("edit"),
      );
    return h(
      "article",
      { class: "card product", "aria-label": name },
      picture(sku, name),
      h(
        "div",
        { class: "product-about" },
        h("h2", { class: "clip", title: name }, name),
        h("p", { class: "row wrap" }, stockChip(stock), category && h("span", { class: "chip" }, category)),
      ),
      h("div", { class: "row" }, h("strong", { class: "price number grow" }, moneyText(price)), edit, add),
    );
  }

  #edit(product) {
    const currency = product?.price.currency ?? [...this.#products.values()][0]?.price.currency ?? "USD";
    return editProduct(this.#app, product, currency);
  }
}

// Make the label of a stock.
export function stockChip(stock) {
  if (stock === null) return h("span", { class: "chip good" }, "in stock");
  if (stock <= 0) return h("span", { class: "chip bad" }, "sold out");
  return h("span", { class: `chip ${stock <= LOW ? "warn" : "good"}` }, `${stock} left`);
}

// A calm picture that is always the same: two shapes, in colours derived from the SKU.
function picture(sku, name) {
  let hash = 7;
  for (const letter of sku) hash = (hash * 33 + letter.codePointAt(0)) >>> 0;
  const made = svg(
    "svg",
    {
      class: "product-picture",
      viewBox: "0 0 160 90",
      "aria-hidden": "true",
      preserveAspectRatio: "xMidYMid slice",
    },
    svg("circle", { cx: 40 + (hash % 80), cy: 30 + (hash % 37), r: 34 }),
    svg("circle", { cx: 30 + ((hash >> 5) % 110), cy: 60, r: 22 }),
    svg("text", { x: 80, y: 58 }, [...name][0].toUpperCase()),
  );
  made.style.setProperty("--hue", String(hash % 360));
  return made;
}
