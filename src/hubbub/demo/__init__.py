"""What ``hubbub serve --demo`` starts with: a lobby, a bot, products and a leaderboard."""
