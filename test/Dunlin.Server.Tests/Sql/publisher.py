"""Publishes beside its own rows: publisher.py DATABASE CLIENT FIRST COUNT SEED."""

import json
import random
import sys

import psycopg2

database, client, first, count, seed = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4]), int(sys.argv[5])
dice = random.Random(seed)
connection = psycopg2.connect(database)
levels = ["READ COMMITTED", "REPEATABLE READ"]


def take(cursor):
    cursor.execute("UPDATE shared SET value = value + 1 RETURNING value")
    cursor.execute("SELECT dunlin.publish('sql/shared', 'e', %s)", (json.dumps(cursor.fetchone()[0]),))


for number in range(first, first + count):
    events = dice.randint(1, 3)
    shared = dice.choice(["before", "after", "never", "never"])
    # The shared row may change after the snapshot was taken, which READ COMMITTED alone allows.
    connection.set_session(isolation_level=dice.choice(levels) if shared == "never" else levels[0])
    with connection.cursor() as cursor:
        cursor.execute("SELECT FROM clients WHERE name = %s FOR UPDATE", (client,))
        if shared == "before":
            take(cursor)
        cursor.execute("INSERT INTO mine (client, number, events) VALUES (%s, %s, %s)", (client, number, events))
        for event in range(events):
            cursor.execute("SELECT dunlin.publish(%s, 'e', %s)", (f"sql/{client}", json.dumps([number, event])))
        if shared == "after":
            take(cursor)
    if dice.random() < 1 / 3:
        connection.rollback()
    else:
        connection.commit()
