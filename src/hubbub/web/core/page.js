// The base of a page: the connection, the profiles, and a light that shows the connection's state.

import { fill, h } from "./dom.js";
import { notify } from "./notices.js";
import { Profiles } from "./profiles.js";
import { Connection } from "./rpc.js";
import { restoreTheme } from "./theme.js";

const LIGHTS = { online: "Connected", connecting: "Connecting…", offline: "Disconnected" };

// The signed-in user, stored for the next visit.
export const TOKEN = "hubbub.token";

export const narrow = matchMedia("(max-width: 720px)");

export class Page {
  connection = new Connection(new URL("ws", document.baseURI.replace(/^http/, "ws")), () =>
    this.storedToken(),
  );
  profiles = new Profiles(this.connection);
  notify = notify;
  root = document.getElementById("app");
  light = h("span", { class: "light", role: "status" });

  constructor() {
    restoreTheme();
    this.connection.addEventListener("state", () => {
      this.showLight();
      if (this.connection.state === "offline") this.root.querySelector("hub-sign-in")?.unanswered();
    });
  }

  // The newest token that this tab or another has stored.
  storedToken() {
    return localStorage.getItem(TOKEN);
  }

  get user() {
    return this.connection.user;
  }

  get role() {
    return this.connection.signedIn?.role ?? "user";
  }

  // Show the state; on a narrow screen its name is only for screen readers.
  showLight() {
    const { state } = this.connection;
    this.light.dataset.state = state;
    fill(this.light, h("span", { class: narrow.matches ? "visually-hidden" : null }, LIGHTS[state]));
  }
}
