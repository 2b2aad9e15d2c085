// The shop: its products, the cart, and the orders.

import { View, fill, h } from "../core/dom.js";
import { icon } from "../core/icons.js";
import { Cart } from "./cart.js";
import { CartPage } from "./cart-page.js";
import { Catalogue } from "./catalogue.js";
import { OrderList, OrderPage } from "./orders.js";

export class Shop extends View {
  #cart;
  #place = h("div", { class: "shop-place" });
  #links = h("nav", { class: "row shop-links", "aria-label": "Shop" });
  #page = null;
  #path = "";

  enter() {
    this.classList.add("page");
    this.#cart = new Cart(this.app);
    this.#cart.addEventListener("change", () => this.#drawLinks(), { signal: this.signal });
    fill(this, this.#links, this.#place);
    this.#drawLinks();
  }

  disconnectedCallback() {
    super.disconnectedCallback();
    this.#page?.close();
    this.#cart.close();
  }

  navigate(path) {
    const wanted = path.join("/");
    if (this.#page && wanted === this.#path) return;
    this.#path = wanted;
    this.#page?.close();
    this.#page = this.#pageOf(path);
    fill(this.#place, this.#page.element);
    this.scrollTop = 0;
    this.#drawLinks();
  }

  #pageOf([name, id, after]) {
    if (name === "cart") return new CartPage(this.app, this.#cart);
    if (name === "orders" && id) return new OrderPage(this.app, id, after === "thanks");
    if (name === "orders") return new OrderList(this.app);
    return new Catalogue(this.app, this.#cart);
  }

  #drawLinks() {
    const { count } = this.#cart;
    const current = this.#path.split("/")[0];
    const link = (name, label, picture, ...more) =>
      h(
        "a",
        {
          class: "tab",
          href: name ? `#/shop/${name}` : "#/shop",
          "aria-current": current === name ? "page" : null,
        },
        icon(picture),
        label,
        more,
      );
    fill(
      this.#links,
      link("", "Products", "shop"),
      link(
        "cart",
        "Cart",
        "cart",
        count > 0 &&
          h(
            "span",
            { class: "badge" },
            String(count),
            h("span", { class: "visually-hidden" }, " in the cart"),
          ),
      ),
      link("orders", "Orders", "check"),
    );
  }
}

customElements.define("hub-shop", Shop);
