// The cart, the same in every window.

import { onceAFrame } from "../core/dom.js";
import { newKey } from "../core/rpc.js";

// Emits "change" when the cart has changed.
export class Cart extends EventTarget {
  cart = null;
  #app;
  #follow;
  #read = onceAFrame(() => this.load());

  constructor(app) {
    super();
    this.#app = app;
    this.#follow = app.connection.follow(`cart/${app.user.id}`, { onEvents: this.#read, onEnded: () => {} });
    this.load();
  }

  close() {
    this.#follow.close();
  }

  get count() {
    return (this.cart?.lines ?? []).reduce((sum, { quantity }) => sum + quantity, 0);
  }

  async load() {
    await this.change("shop.cart");
  }

  async add(sku, name) {
    if (await this.change("shop.add_item", { sku, key: newKey() }))
      this.#app.notify(`${name} was added to the cart.`, "good");
  }

  // Make a change; the result is the whole cart.
  async change(method, params = {}) {
    try {
      this.cart = await this.#app.connection.call(method, params);
      this.dispatchEvent(new Event("change"));
      return true;
    } catch (error) {
      this.#app.notify(error.message, "error");
      return false;
    }
  }
}
