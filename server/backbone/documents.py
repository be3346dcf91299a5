"""The pool of backbone teachers (骨干教师库, article 9.1)."""

from __future__ import annotations

from datetime import datetime

from server.kernel.mongo import Document


class PoolMember(Document):
    """A registered backbone teacher; `id` is the person's."""

    name: str
    id_number_masked: str
    province_code: str
    work_unit: str
    majors: list[str]
    """Codes of the 专业大类 that the teacher is registered for."""
    registered_at: datetime
    registered_by: str
