"""WeChat: the platform's client, and a WeChat on loopback for where there is no mini-program account."""
