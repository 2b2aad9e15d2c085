"""
A store in a PostgreSQL database, which any number of nodes share.

It needs psycopg, so nothing here is imported before such a database is opened.
"""
