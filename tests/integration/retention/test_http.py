"""What requests see of what was collected, and of what is left to be collected."""

import httpx
from sqlalchemy import update

from shared.datasets.removal import delete_objects
from shared.db.engine import Sessions
from shared.db.tables import JobRow
from shared.settings import Settings
from shared.storage.s3 import S3Store
from tests.integration.retention.builders import ago, ended
from tests.integration.shared.builders import committed


def test_a_result_that_was_collected_is_gone(client: httpx.Client, sessions: Sessions) -> None:
    job_id = ended(sessions, "succeeded", ago(days=2))
    output = {"object": f"results/{job_id}/1.png", "content_type": "image/png"}
    query = update(JobRow).where(JobRow.id == job_id).values(output=output)
    committed(sessions, lambda session: session.execute(query))
    answer = client.get(f"/jobs/{job_id}/result")
    assert answer.status_code == 410
    assert answer.json()["detail"] == (
        f"the file of job {job_id} is not kept any more: send the request again"
    )


def test_what_cannot_be_deleted_now_is_left(settings: Settings) -> None:
    away = S3Store(settings.model_copy(update={"s3_endpoint": "127.0.0.1:9"}))
    assert not delete_objects(away, ["datasets/x_1/object"])
