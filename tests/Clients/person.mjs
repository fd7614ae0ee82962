// The person in front of the browser: opens the page that asks, types the key, chooses Allow, and follows nothing.
import assert from 'node:assert/strict';

/** Gives the address that the browser is sent to: the client's, with the code. */
export async function allow(address, key) {
  const page = await fetch(address, { redirect: 'manual' });
  const html = await page.text();
  assert.equal(page.status, 200, `no page, but ${page.status} ${page.headers.get('location')} ${html}`);
  const answer = await fetch(new URL('/auth/authorize', address), {
    method: 'POST',
    redirect: 'manual',
    headers: { Cookie: page.headers.getSetCookie()[0].split(';')[0] },
    body: new URLSearchParams({ ticket: html.match(/name="ticket" value="([^"]+)"/)[1], password: key, decision: 'allow' }),
  });
  assert.equal(answer.status, 303, await answer.text());
  return new URL(answer.headers.get('location'));
}
