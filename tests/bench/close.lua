-- close.lua - wrk asks once per connection.
wrk.headers["Connection"] = "close"
