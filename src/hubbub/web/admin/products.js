// The catalogue, for editing.

import { h, onceAFrame } from "../core/dom.js";
import { icon } from "../core/icons.js";
import { Table } from "./table.js";
import { stockChip } from "../shop/catalogue.js";
import { moneyText } from "../shop/money.js";
import { editProduct } from "../shop/product.js";
import { findProducts } from "../shop/products.js";

const SHOWN_MAX = 50;

export class ProductsCard {
  #app;
  #currency = "USD";
  #sku = "";
  #reload = onceAFrame(() => this.load().catch((error) => this.#app.notify(error.message, "error")));
  #table = new Table(
    "Products",
    [["Product"], ["Price", "number"], ["Stock"], [""]],
    (product) => this.#cells(product),
    "There are no products.",
  );
  element = h(
    "section",
    { class: "card" },
    h(
      "header",
      { class: "row" },
      h("h2", { class: "grow" }, "Products"),
      h("input", {
        class: "input",
        type: "search",
        "aria-label": "Find a product",
        placeholder: "Start at SKU",
        oninput: ({ target }) => ((this.#sku = target.value.trim()), this.#reload()),
      }),
      h(
        "button",
        { class: "button compact", type: "button", onclick: () => this.#edit(null) },
        icon("plus"),
        "New product",
      ),
    ),
    h("div", { class: "scroll" }, this.#table.element),
  );

  constructor(app) {
    this.#app = app;
  }

  async load() {
    const wanted = this.#sku;
    const products = await findProducts(this.#app.connection, wanted, SHOWN_MAX);
    // The user has typed another SKU in the meantime.
    if (wanted !== this.#sku) return;
    this.#currency = products[0]?.price.currency ?? this.#currency;
    this.#table.show(products, ({ sku }) => sku);
  }

  #cells(product) {
    const { sku, name, price, stock } = product;
    const edit = h(
      "button",
      {
        class: "button compact",
        type: "button",
        "aria-label": `Edit ${name}`,
        onclick: () => this.#edit(product),
      },
      "Edit",
    );
    return [
      h("td", null, h("p", { class: "clip" }, name), h("p", { class: "clip muted small" }, sku)),
      h("td", { class: "number" }, moneyText(price)),
      h("td", null, stockChip(stock)),
      h("td", null, h("div", { class: "row actions" }, edit)),
    ];
  }

  async #edit(product) {
    const set = await editProduct(this.#app, product, product?.price.currency ?? this.#currency);
    if (!set) return;
    this.#app.notify(`${set.name} was saved.`, "good");
    await this.load();
  }
}
