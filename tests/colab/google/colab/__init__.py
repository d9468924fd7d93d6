"""What Colab's kernel has imported before the first cell, as far as widgets go: see tests/rooms.py."""

from google.colab import output as output
