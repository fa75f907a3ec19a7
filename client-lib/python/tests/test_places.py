"""Where the socket is looked for."""

import json
import unittest
from pathlib import Path

from agentchatd_client.places import client_sockets

VECTORS = Path(__file__).resolve().parents[2] / "fixtures/places.json"


class Places(unittest.TestCase):
    def test_the_socket_is_looked_for_where_the_rule_says(self) -> None:
        for case in json.loads(VECTORS.read_text()):
            with self.subTest(environment=case["environment"], root=case["root"]):
                self.assertEqual(client_sockets(case["environment"], root=case["root"]), case["places"])
