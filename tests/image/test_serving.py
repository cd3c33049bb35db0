"""The program `serve` inside the image: without a network, a writable root and capabilities."""

import json

from .conftest import BATCH, Image, Job, volume

# Starts the program, asks it, and ends it.
ASK = """
import json, signal, subprocess, sys, urllib.request
program = subprocess.Popen(["serve"], stdout=subprocess.PIPE, text=True)
assert "Answering at port 8080." in program.stdout.readline()
body = json.dumps(["the brake disc", "an oil piston"]).encode()
address, kind = "http://127.0.0.1:8080/invocations", {"content-type": "application/json"}
asked = urllib.request.Request(address, body, kind)
print(json.dumps(json.load(urllib.request.urlopen(asked))))
program.send_signal(signal.SIGTERM)
sys.exit(program.wait())
"""


def test_a_model_trained_in_the_image_answers_in_the_image(image: Image, job: Job) -> None:
    base = job()
    mounted = (*BATCH, *volume(base, "/opt/ml"))
    done = image.run("train", options=mounted)
    assert done.returncode == 0, done.stdout + done.stderr
    answered = json.loads(image.python(ASK, options=(*BATCH, *volume(base, "/opt/ml", "ro"))))
    assert [row["prediction"] for row in answered["predictions"]] == ["brakes", "engine"]
    assert [row["error"] for row in answered["predictions"]] == ["", ""]
