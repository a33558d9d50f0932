"""The last look of a claim reads what stands side by side, and mostly indexes alone."""

from pathlib import Path

from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(Path(__file__).with_suffix(".sql").read_text().replace(":", r"\:"))
