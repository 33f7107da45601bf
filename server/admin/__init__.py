"""What admins may do and see. Each act is one transaction with its line in the audit log.

`agon admin` does it at the operator's machine, `/v1/admin/…` for accounts with the role `admin`.
"""

from server.admin.acts import Acts as Acts
from server.admin.refused import Refused as Refused
