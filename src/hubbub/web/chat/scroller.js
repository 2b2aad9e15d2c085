// A long list that has only the rows near the visible part in the page.
//
// The height of a row is estimated until it was shown once. When rows above the visible part are
// measured, added or removed, the visible part stays in place; at the bottom it stays there.

import { Heights } from "./heights.js";
import { fill, h, onceAFrame } from "../core/dom.js";

// How far beyond the visible part rows are in the page, above and below, in pixels.
const AROUND = 600;
// When less than this is left above, older rows are requested.
const SCREENS_LEFT = 4;
// Within this distance from the end the list counts as being at the end.
const NEAR = 48;

// Emits "top" near the beginning, and "bottom" on arriving at the end.
export class Scroller extends HTMLElement {
  // Makes the element of a row from its key.
  render = () => h("div");
  #keys = [];
  #next = null;
  #heights = new Heights();
  #rows = new Map();
  #above = h("div");
  #below = h("div");
  #stuck = true;
  #anchor = null;
  #width = 0;
  #later = onceAFrame(() => this.#lay());
  #observer = new ResizeObserver(() => this.#resized());

  connectedCallback() {
    this.addEventListener("scroll", () => this.#scrolled(), { passive: true });
    this.#observer.observe(this);
    this.#later();
  }

  disconnectedCallback() {
    this.#observer.disconnect();
  }

  get atBottom() {
    return this.#stuck;
  }

  // Show other rows; `changed` are keys whose elements are made again.
  show(keys, changed = []) {
    // Until the new rows are laid out, the scroll position is that of the old rows.
    this.#next = keys;
    for (const key of changed) this.#rows.delete(key);
    this.#later();
  }

  toBottom() {
    this.#stuck = true;
    this.#later();
  }

  // Scroll a row to the middle, and return its element once it is there.
  toKey(key) {
    this.#stuck = false;
    this.#anchor = { key, offset: this.clientHeight / 3 };
    this.#lay();
    return this.#rows.get(key) ?? null;
  }

  #resized() {
    // At another width all heights change.
    if (this.clientWidth !== this.#width) this.#heights.forget();
    this.#width = this.clientWidth;
    this.#later();
  }

  #scrolled() {
    const wasStuck = this.#stuck;
    this.#stuck = this.scrollHeight - this.clientHeight - this.scrollTop < NEAR;
    this.#anchor = this.#stuck ? null : this.#firstVisible();
    if (this.scrollTop < SCREENS_LEFT * this.clientHeight) this.dispatchEvent(new Event("top"));
    if (this.#stuck && !wasStuck) this.dispatchEvent(new Event("bottom"));
    this.#later();
  }

  #firstVisible() {
    const key = this.#keys[this.#heights.at(this.scrollTop)];
    return key === undefined ? null : { key, offset: this.#heights.top(key) - this.scrollTop };
  }

  #lay() {
    if (!this.isConnected || !this.clientHeight) return;
    if (this.#next) this.#heights.show((this.#keys = this.#next));
    this.#next = null;
    this.#draw(this.#wantedTop());
    // The drawn rows have their true heights now: draw again if that makes a difference.
    if (this.#measure()) this.#draw(this.#wantedTop());
    const top = this.#wantedTop();
    if (Math.abs(this.scrollTop - top) >= 1) this.scrollTop = top;
  }

  // The scroll position by the heights that are known.
  #wantedTop() {
    const last = Math.max(0, this.#heights.total - this.clientHeight);
    if (this.#stuck) return last;
    const top = this.#anchor && this.#heights.top(this.#anchor.key);
    return top === null
      ? Math.min(this.scrollTop, last)
      : Math.max(0, Math.min(last, top - this.#anchor.offset));
  }

  #draw(scrollTop) {
    const heights = this.#heights;
    const first = heights.at(scrollTop - AROUND);
    const end = heights.at(scrollTop + this.clientHeight + AROUND) + 1;
    const shown = this.#keys.slice(first, end);
    const above = shown.length ? heights.top(shown[0]) : 0;
    const below = end < this.#keys.length ? heights.total - heights.top(this.#keys[end]) : 0;
    const rows = new Map(shown.map((key) => [key, this.#rows.get(key) ?? this.render(key)]));
    this.#rows = rows;
    this.#above.style.height = `${above}px`;
    this.#below.style.height = `${below}px`;
    const wanted = [this.#above, ...rows.values(), this.#below];
    // Keep the focus: touch only what differs.
    if (wanted.length !== this.childNodes.length || wanted.some((row, at) => row !== this.childNodes[at]))
      this.#place(wanted);
  }

  #place(wanted) {
    const kept = new Set(wanted);
    for (const child of [...this.childNodes]) if (!kept.has(child)) child.remove();
    if (!this.firstChild) return fill(this, wanted);
    wanted.forEach(
      (row, at) => row !== this.childNodes[at] && this.insertBefore(row, this.childNodes[at] ?? null),
    );
  }

  #measure() {
    const rows = [...this.#rows];
    const heights = rows.map(([, row]) => row.getBoundingClientRect().height);
    return rows.filter(([key], place) => this.#heights.set(key, heights[place])).length > 0;
  }
}

customElements.define("hub-scroller", Scroller);
