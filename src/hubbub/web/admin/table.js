// A table that is updated often: unchanged cells stay in place, so that a user does not lose the
// button that they are about to press.

import { fill, h } from "../core/dom.js";

export class Table {
  element;
  #rows = new Map();
  #body = h("tbody");
  #row;
  #width;
  #none;

  // `heads` are [label, class]; `row` makes the cells of a row.
  constructor(title, heads, row, none) {
    [this.#row, this.#width, this.#none] = [row, heads.length, none];
    const head = heads.map(([label, kind = ""]) =>
      h("th", { scope: "col", class: kind }, label || h("span", { class: "visually-hidden" }, "Actions")),
    );
    this.element = h(
      "table",
      { class: "table" },
      h("caption", { class: "visually-hidden" }, title),
      h("thead", null, h("tr", null, head)),
      this.#body,
    );
    this.show([], () => "");
  }

  // Show these items; `idOf` returns what identifies an item.
  show(list, idOf) {
    const before = this.#rows;
    this.#rows = new Map(list.map((one) => [idOf(one), this.#rowOf(one, before.get(idOf(one)))]));
    const rows = [...this.#rows.values()].map(({ element }) => element);
    if (!rows.length) rows.push(h("tr", null, h("td", { class: "muted", colspan: this.#width }, this.#none)));
    const same =
      rows.length === this.#body.children.length &&
      rows.every((row, place) => row === this.#body.children[place]);
    if (same) return;
    const focused = document.activeElement;
    fill(this.#body, rows);
    if (focused !== document.activeElement && this.#body.contains(focused)) focused.focus();
  }

  #rowOf(one, before) {
    const text = JSON.stringify(one);
    return before?.text === text ? before : { text, element: h("tr", null, this.#row(one)) };
  }
}
