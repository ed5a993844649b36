from wuzhen_client.cli import run

run()
