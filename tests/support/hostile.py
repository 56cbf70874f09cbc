"""Text that would do something to a page that took it for markup."""

EVIL = "</script><script>window.hurt=1</script><img src=x onerror=hurt=1>\"'&{{7*7}}"
