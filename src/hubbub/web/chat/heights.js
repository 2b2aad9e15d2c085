// The heights of the rows of a long list, and their positions.

// The height of a row before it is measured, in pixels.
const ESTIMATE = 56;

export class Heights {
  #known = new Map();
  #keys = [];
  #places = new Map();
  // The top of row i; the last entry is the bottom of the list.
  #tops = new Float64Array(1);
  // #tops is valid for the rows before this one.
  #sure = 0;

  // Replace the rows; the heights of remaining rows are kept.
  show(keys) {
    this.#keys = keys;
    this.#places = new Map(keys.map((key, place) => [key, place]));
    this.#tops = new Float64Array(keys.length + 1);
    this.#sure = 0;
  }

  // Forget all measured heights.
  forget() {
    this.#known.clear();
    this.#sure = 0;
  }

  // Record a measured height; return whether it has changed.
  set(key, height) {
    const before = this.#known.get(key);
    if (before !== undefined && Math.abs(before - height) <= 0.5) return false;
    this.#known.set(key, height);
    this.#sure = Math.min(this.#sure, this.#places.get(key) ?? 0);
    return true;
  }

  // The height of the list.
  get total() {
    return this.#upTo(this.#keys.length);
  }

  // The top of a row; null if it is not in the list.
  top(key) {
    const place = this.#places.get(key);
    return place === undefined ? null : this.#upTo(place);
  }

  // The index of the row at a height: from 0 to the last.
  at(height) {
    this.#upTo(this.#keys.length);
    let [low, high] = [0, Math.max(0, this.#keys.length - 1)];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#tops[middle + 1] > height) high = middle;
      else low = middle + 1;
    }
    return low;
  }

  #upTo(place) {
    for (; this.#sure < place; this.#sure++) {
      const height = this.#known.get(this.#keys[this.#sure]) ?? ESTIMATE;
      this.#tops[this.#sure + 1] = this.#tops[this.#sure] + height;
    }
    return this.#tops[place];
  }
}
