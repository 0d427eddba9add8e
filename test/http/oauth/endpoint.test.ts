import { describe, expect, it } from 'vitest';
import { tokenEndpoint, tokenErrors } from '../../../src/http/oauth/endpoint.ts';

describe('the token endpoint', () => {
  it('takes what the Go client sends, credentials in the header or in the form', () => {
    const grant = { grant_type: 'client_credentials', audience: 'https://api.hashicorp.cloud' };

    expect(tokenEndpoint.form.safeParse(grant).success).toBe(true);
    expect(tokenEndpoint.form.parse({ ...grant, client_id: 'a', client_secret: 'b' })).toMatchObject({
      client_id: 'a',
      client_secret: 'b',
    });
    expect(tokenEndpoint.form.safeParse({ grant_type: 'password' }).success).toBe(false);
    expect(tokenEndpoint.form.safeParse({}).success).toBe(false);
  });

  it('answers the three fields of HCP, and a life that clients use', () => {
    const token = { access_token: 'abc', token_type: 'Bearer', expires_in: 3600 };

    expect(tokenEndpoint.response.safeParse(token).success).toBe(true);
    for (const wrong of [
      { ...token, expires_in: 10 },
      { ...token, token_type: 'bearer' },
      { ...token, access_token: 'a b' },
      { ...token, scope: '' },
    ]) {
      expect(tokenEndpoint.response.safeParse(wrong).success).toBe(false);
    }
  });

  it('refuses in the words of OAuth', () => {
    for (const error of Object.keys(tokenErrors)) {
      expect(tokenEndpoint.refusal.safeParse({ error, error_description: '' }).success, error).toBe(true);
    }
    expect(tokenErrors.invalid_client).toBe(401);
    expect(tokenEndpoint.refusal.safeParse({ code: 16, message: '' }).success).toBe(false);
  });
});
