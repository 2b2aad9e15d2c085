// Games: the lobby, or one match.

import { View, fill } from "../core/dom.js";
import { Lobby } from "./lobby.js";
import { MatchView } from "./match.js";

// "#/games" is the lobby, "#/games/play" the lobby while it searches for an opponent, and
// "#/games/ID" a match.
const PLAY = "play";

export class Games extends View {
  #shown = null;

  navigate([place]) {
    const id = place === PLAY ? undefined : place;
    if (!this.#shown || this.#shown.matchId !== id) {
      this.#shown = Object.assign(id ? new MatchView() : new Lobby(), { app: this.app, matchId: id });
      fill(this, this.#shown);
    }
    if (!id) this.#shown.search(place === PLAY);
  }
}

customElements.define("hub-games", Games);
