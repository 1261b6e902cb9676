-- One request of a batch has succeeded.
RELEASE dunlin_request
