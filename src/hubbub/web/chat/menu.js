// What one can do with a whole room.

import { confirmDialog, openMenu } from "../core/dialog.js";
import { invite } from "./people.js";

// Open the menu of a room.
export function openRoomMenu(button, app, room, togglePeople) {
  const closes = (room.roles[app.user.id] === "creator" || app.role === "admin") && !room.closed;
  const ask = () => invite(app, room).catch((error) => app.notify(error.message, "error"));
  openMenu(button, [
    { label: "Members", icon: "people", act: togglePeople },
    !room.other && { label: "Invite somebody", icon: "plus", act: ask },
    !room.other &&
      closes && { label: "Close this room", icon: "lock", danger: true, act: () => close(app, room) },
    !room.other && { label: "Leave", icon: "out", danger: true, act: () => leave(app, room) },
  ]);
}

function close(app, room) {
  const act = () => app.connection.call("chat.close_room", { room_id: room.id });
  const text = "Nothing more can be said in it.";
  return confirmDialog("Close this room?", text, { submit: "Close it", danger: true, act });
}

function leave(app, room) {
  const act = () => app.connection.call("chat.leave", { room_id: room.id }).then(() => app.go("#/chat"));
  const text = room.private ? "It is private: somebody must invite you to come back." : "You can come back.";
  return confirmDialog("Leave this room?", text, { submit: "Leave", danger: true, act });
}
