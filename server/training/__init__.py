"""Who puts training together: brains and the store are known here, and `training` is handed what it needs of them."""
