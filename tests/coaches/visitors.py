"""Visitors who hold seats through HTTP."""

API = "/api/v1"


class Visitor:
    def __init__(self, client, coach, token):
        self.client, self.coach, self.token = client, coach, token

    async def send(self, method, path, json=None, **headers):
        own = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        return await self.client.request(method, API + path, json=json, headers=own | headers)

    async def lock(self, *seats, ride="ae", **more):
        body = {
            "tripId": str(self.coach.id),
            "from": str(self.coach.stop(ride[0])),
            "to": str(self.coach.stop(ride[1])),
            "seatNumbers": list(seats),
        }
        return await self.send("POST", "/seats/lock", body | more)

    async def held(self, *seats, ride="ae"):
        answer = await self.lock(*seats, ride=ride)
        assert answer.status_code == 201, answer.text
        return answer.json()


def problem_of(answer, status):
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"].startswith("application/problem+json")
    return answer.json()
