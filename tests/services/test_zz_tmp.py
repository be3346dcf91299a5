import asyncio
import json

from tornado.httpclient import AsyncHTTPClient

J={"Content-Type":"application/json"}
async def test_x(site):
    c=AsyncHTTPClient()
    async def one(i):
        r=await c.fetch(f"{site}/simulator/phones/phone-{i}/code",method="POST",body=b"")
        r=await c.fetch(f"{site}/api/v1/login",method="POST",body=r.body,headers=J)
        return json.loads(r.body)
    r=await asyncio.gather(*(one(i) for i in range(20)))
    print(r[0])
    for code in ("\ud800","x","", "a"*5000):
        r=await c.fetch(f"{site}/api/v1/login",method="POST",body=json.dumps({"code":code}),raise_error=False,headers=J)
        print(r.code,r.body.decode())
