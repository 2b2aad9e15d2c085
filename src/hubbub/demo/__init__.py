"""The demo of ``hubbub serve --demo``: a lobby, a bot, products and a leaderboard."""
