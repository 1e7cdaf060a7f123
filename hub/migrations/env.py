"""Alembic's entry: migrates over the connection it is handed, and no other."""

from alembic import context

from hub.tables import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata)
with context.begin_transaction():
    context.run_migrations()
