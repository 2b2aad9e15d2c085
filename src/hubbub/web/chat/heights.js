// How high the rows of a long list are, and where each of them begins.

// Until a row was measured it counts as so high, in pixels.
const ESTIMATE = 56;

export class Heights {
  #known = new Map();
  #keys = [];
  #places = new Map();
  // Where row i begins; the last is where all of them end.
  #tops = new Float64Array(1);
  // The rows before this one are where #tops says.
  #sure = 0;

  // The rows are others now; what is known of those that stay is kept.
  show(keys) {
    this.#keys = keys;
    this.#places = new Map(keys.map((key, place) => [key, place]));
    this.#tops = new Float64Array(keys.length + 1);
    this.#sure = 0;
  }

  // Forget what was measured.
  forget() {
    this.#known.clear();
    this.#sure = 0;
  }

  // Take a measured height in; tells whether it is news.
  set(key, height) {
    const before = this.#known.get(key);
    if (before !== undefined && Math.abs(before - height) <= 0.5) return false;
    this.#known.set(key, height);
    this.#sure = Math.min(this.#sure, this.#places.get(key) ?? 0);
    return true;
  }

  // How high all of them are.
  get total() {
    return this.#upTo(this.#keys.length);
  }

  // Where a row begins; null if it is not in the list.
  top(key) {
    const place = this.#places.get(key);
    return place === undefined ? null : this.#upTo(place);
  }

  // The place of the row that is at some height: from 0 to the last.
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
