// A session over a WebSocket: it reconnects, continues its streams after the last event it has,
// and repeats unanswered requests. The protocol is JSON-RPC 2.0; see the reference of the wire.

const SUBPROTOCOL = "hubbub.v1";
const BACKOFF_MS = 250;
const BACKOFF_MS_MAX = 10_000;
// Concurrent requests; a server permits 256.
const REQUESTS_MAX = 200;
// After this time without a frame the client checks whether the server is alive.
const QUIET_MS = 10_000;
const ANSWER_MS_MAX = 6_000;
// Temporary refusals: they are not about the request or the user.
const PASSING = new Set(["closed", "internal", "overloaded", "rate_limited", "storage"]);
// Close codes: 3000 to 3499 mean "reconnect", 3500 to 3999 "do not reconnect".
const DO_NOT_COME_BACK = 3500;

const INTERNAL_ERROR = -32603;

export class RpcError extends Error {
  constructor({ code, message, data = {} }) {
    super(message);
    this.code = data.code ?? (code === INTERNAL_ERROR ? "internal" : "invalid");
    this.reason = data.reason ?? null;
    this.retryAfter = data.retry_after ?? null;
  }
}

// Return whether two refresh tokens belong to one sign-in; their content is not verified here.
export function isOfSameSignIn(one, other) {
  const [session, another] = [one, other].map((token) => {
    try {
      return JSON.parse(atob(token.split(".")[1].replaceAll("-", "+").replaceAll("_", "/"))).sid;
    } catch {
      return undefined;
    }
  });
  return session !== undefined && session === another;
}

export function newKey() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

// Emits "state" when the state changes, "signedin" after each sign-in, and "ended" when the
// session has ended: the user signed out, or the token is no longer valid.
export class Connection extends EventTarget {
  // Tabs of one browser may share a sign-in, whose refresh token can be used once.
  #tokens = new BroadcastChannel("hubbub.tokens");
  #url;
  #load;
  #socket = null;
  #state = "offline";
  #signIn = null;
  #first = null;
  #number = 0;
  #calls = new Map();
  #underWay = 0;
  #follows = new Map();
  #tries = 0;
  #timer = 0;
  #heard = 0;

  // `load` returns the newest token that any tab has stored, if there is one.
  constructor(url, load = () => null) {
    super();
    this.#url = url;
    this.#load = load;
    this.#tokens.onmessage = ({ data }) => this.#takeToken(data);
    addEventListener("offline", () => this.#lost());
    addEventListener("online", () => this.#comeBack(0));
    addEventListener("pagehide", () => this.#socket?.close());
    addEventListener("pageshow", (event) => event.persisted && this.#comeBack(0));
    setInterval(() => this.#checkAlive(), 1_000);
  }

  // "online", "connecting" or "offline".
  get state() {
    return this.#state;
  }

  // The newest result of a sign-in: user, token, refresh_token, journal_id, role.
  signedIn = null;

  get user() {
    return this.signedIn?.user ?? null;
  }

  // The params of the next sign-in.
  get token() {
    return this.#signIn?.token ?? null;
  }

  // Sign in with {token}, {nickname} or {name, password}; rejects if the server refuses it.
  signIn(params) {
    this.#signIn = params;
    return new Promise((resolve, reject) => {
      this.#first = { resolve, reject };
      this.#connect();
    });
  }

  // End the session.
  end() {
    this.#signIn = null;
    this.#drop(1000);
    this.#setState("offline");
    for (const call of this.#calls.values()) call.reject(new RpcError({ message: "Signed out." }));
    this.#calls.clear();
    this.#follows.clear();
    this.signedIn = null;
  }

  // Send a request that only reads, or has the same effect when it is repeated.
  call(method, params = {}, { signal } = {}) {
    return new Promise((resolve, reject) => {
      const id = ++this.#number;
      this.#calls.set(id, { method, params, resolve, reject, sent: false });
      signal?.addEventListener("abort", () => this.#cancel(id));
      this.#sendCalls();
    });
  }

  // Send a request with an idempotency key, so that it takes effect once however often it is sent.
  command(method, params = {}, options = {}) {
    return this.call(method, { key: newKey(), ...params }, options);
  }

  // Send a notification that matters only now: it is not repeated, and has no response.
  tell(method, params) {
    if (this.#state === "online") this.#send({ method, params });
  }

  // Follow a stream. `onEvents` gets lists of events, `onSignal` single signals, `onEnded` the
  // error when the server ends it. `after` is the last seq that you have; null follows new events.
  follow(stream, { after = null, onEvents = () => {}, onSignal = () => {}, onEnded = () => {} }) {
    if (this.#follows.has(stream)) throw new Error(`${stream} is followed already`);
    const follow = { stream, seq: after, onEvents, onSignal, onEnded };
    this.#follows.set(stream, follow);
    follow.joined = this.#state === "online" ? this.#join(follow) : Promise.resolve();
    follow.close = () => {
      if (this.#follows.get(stream) !== follow) return;
      this.#follows.delete(stream);
      this.tell("session.unfollow", { stream });
    };
    return follow;
  }

  #setState(state) {
    if (state === this.#state) return;
    this.#state = state;
    this.dispatchEvent(new Event("state"));
  }

  #connect() {
    clearTimeout(this.#timer);
    this.#drop();
    this.#setState("connecting");
    const socket = (this.#socket = new WebSocket(this.#url, SUBPROTOCOL));
    this.#heard = performance.now();
    socket.onopen = () => {
      this.#takeToken(this.#load());
      this.#send({ id: 0, method: "session.sign_in", params: this.#signIn });
    };
    socket.onmessage = ({ data }) => this.#receive(JSON.parse(data));
    socket.onclose = ({ code }) => this.#closed(code);
  }

  // Another tab has used up the token that is known here, and got this one for it.
  #takeToken(token) {
    if (token && this.#signIn?.token && isOfSameSignIn(token, this.#signIn.token))
      this.#signIn = { ...this.#signIn, token };
  }

  #drop(code) {
    const socket = this.#socket;
    this.#socket = null;
    if (!socket) return;
    // Anything that the old socket still sends is outdated.
    socket.onopen = socket.onmessage = socket.onclose = null;
    socket.close(code);
  }

  #closed(code) {
    this.#socket = null;
    if (code >= DO_NOT_COME_BACK && code < 4000) {
      this.#refused(new RpcError({ message: "You were signed out.", data: { code: "not_allowed" } }));
    } else {
      this.#lost();
    }
  }

  #lost() {
    if (!this.#signIn) return;
    this.#drop();
    this.#setState("offline");
    const wait = Math.min(BACKOFF_MS_MAX, BACKOFF_MS * 2 ** this.#tries++);
    this.#comeBack(wait * (0.5 + Math.random() / 2));
  }

  #comeBack(milliseconds) {
    if (!this.#signIn || this.#state !== "offline") return;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => navigator.onLine && this.#connect(), milliseconds);
  }

  #checkAlive() {
    if (this.#state === "offline") return;
    const quiet = performance.now() - this.#heard;
    if (quiet > QUIET_MS + ANSWER_MS_MAX) this.#lost();
    // There is nothing to cancel; any response will do.
    else if (quiet > QUIET_MS && this.#state === "online")
      this.#send({ id: -1, method: "session.cancel", params: { id: 0 } });
  }

  #sendCalls() {
    if (this.#state !== "online") return;
    for (const [id, call] of this.#calls) {
      if (this.#underWay >= REQUESTS_MAX) return;
      if (call.sent) continue;
      call.sent = true;
      this.#underWay += 1;
      this.#send({ id, method: call.method, params: call.params });
    }
  }

  #send(message) {
    if (this.#socket?.readyState === WebSocket.OPEN)
      this.#socket.send(JSON.stringify({ jsonrpc: "2.0", ...message }));
  }

  #receive(frame) {
    this.#heard = performance.now();
    const events = new Map();
    for (const message of Array.isArray(frame) ? frame : [frame]) {
      if (message.method === "event") {
        const { stream } = message.params;
        if (!events.has(stream)) events.set(stream, []);
        events.get(stream).push(message.params);
      } else if (message.method === "signal") {
        this.#follows.get(message.params.stream)?.onSignal(message.params);
      } else if (message.method === "unfollowed") {
        this.#unfollowed(message.params.stream, message.params.error);
      } else if (message.id === 0) {
        this.#answeredSignIn(message);
      } else {
        this.#answered(message);
      }
    }
    for (const [stream, list] of events) {
      const follow = this.#follows.get(stream);
      if (!follow) continue;
      follow.seq = list.at(-1).seq;
      follow.onEvents(list);
    }
  }

  #answered({ id, result, error }) {
    const call = this.#calls.get(id);
    if (!call) return;
    // The server is closing, and has not executed it: send it to the next one.
    if (error?.data?.code === "closed") return this.#lost();
    this.#calls.delete(id);
    this.#underWay -= 1;
    this.#sendCalls();
    if (error) call.reject(new RpcError(error));
    else call.resolve(result);
  }

  #answeredSignIn({ result, error }) {
    if (error) {
      this.#refused(new RpcError(error));
      return;
    }
    if (this.signedIn && this.signedIn.journal_id !== result.journal_id) {
      // Another journal: nothing on the page is valid in it.
      location.reload();
      return;
    }
    this.#tries = 0;
    this.signedIn = result;
    // A client with a token of the application reconnects with the same token.
    this.#signIn = { token: result.refresh_token ?? this.#signIn.token ?? result.token };
    if (result.refresh_token) this.#tokens.postMessage(result.refresh_token);
    this.#setState("online");
    this.#underWay = 0;
    for (const call of this.#calls.values()) call.sent = false;
    for (const follow of this.#follows.values()) follow.joined = this.#join(follow);
    this.#sendCalls();
    this.#first?.resolve(result);
    this.#first = null;
    this.dispatchEvent(new Event("signedin"));
  }

  #refused(error) {
    // A user who was signed in before waits; a user who has just typed a password gets the error.
    if (PASSING.has(error.code) && (!this.#first || this.#signIn.token)) {
      this.#lost();
      return;
    }
    this.#signIn = null;
    this.#drop(1000);
    this.#setState("offline");
    const first = this.#first;
    this.#first = null;
    if (first) first.reject(error);
    else this.dispatchEvent(new CustomEvent("ended", { detail: error }));
  }

  async #join(follow) {
    const { stream, seq } = follow;
    // Do not repeat an old request: this is its repetition.
    for (const [id, call] of this.#calls)
      if (call.method === "session.follow" && call.params.stream === stream) this.#calls.delete(id);
    try {
      const { head } = await this.call("session.follow", { stream, after: seq });
      follow.seq ??= head;
    } catch (error) {
      if (this.#follows.get(stream) === follow) this.#follows.delete(stream);
      follow.onEnded(error);
    }
  }

  #unfollowed(stream, error) {
    if (error.data?.code === "closed") return this.#lost();
    const follow = this.#follows.get(stream);
    this.#follows.delete(stream);
    follow?.onEnded(new RpcError(error));
  }

  #cancel(id) {
    const call = this.#calls.get(id);
    if (!call) return;
    this.#calls.delete(id);
    if (call.sent) this.#underWay -= 1;
    this.#send({ method: "session.cancel", params: { id } });
    call.reject(new RpcError({ message: "Cancelled.", data: { code: "cancelled" } }));
  }
}
