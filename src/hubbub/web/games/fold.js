// The fold of a match: events go in, and its current state can be read.

const TAKE = {
  started(match, { players, rules, game }) {
    Object.assign(match, { players, game, goal: rules.points ?? 0 });
    match.scores = new Map(players.map((player) => [player, 0]));
  },

  scored: (match, { player, points }) => match.scores.set(player, match.scores.get(player) + points),
  resigned: (match, { by }) => match.gone.set(by, "Resigned"),
  forfeited: (match, { player }) => match.gone.set(player, "Disconnected for too long"),
  dropped: (match, { player, at }) => match.away.set(player, Date.parse(at)),
  returned: (match, { player }) => match.away.delete(player),
  completed: (match, { winner }) => Object.assign(match, { status: "completed", winner }),
  cancelled: (match, { reason }) => Object.assign(match, { status: "cancelled", reason }),

  told(match, { body }) {
    if (typeof body.text === "string") {
      match.question = { number: body.question, text: body.text.replace("-", "−") };
    } else if (match.question?.number === body.question) {
      match.answered.push({ ...match.question, answer: body.answer, by: body.by });
      match.question = null;
    }
  },
};

export class Match {
  players = [];
  // Points that win, or 0 if the match is won otherwise.
  goal = 0;
  game = null;
  // A player -> points.
  scores = new Map();
  // A disconnected player -> since when, in milliseconds.
  away = new Map();
  // A player who has left for good -> the reason.
  gone = new Map();
  // The open question: { number, text }.
  question = null;
  // The earlier questions: { number, text, answer, by }.
  answered = [];
  status = "active";
  winner = null;
  reason = null;

  // Fold one event.
  apply(event) {
    TAKE[event.type]?.(this, event);
  }
}
