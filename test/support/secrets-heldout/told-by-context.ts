import type { Draw } from './draw.ts';
import { base62, base64, base64url, bytesIn64, digits, hex, lower, upper, uuid } from './draw.ts';
import { password, plainPassword } from './passwords.ts';

/** A secret that only the words around it tell: `{}` in a line stands for it. */
export interface ToldByContext {
  readonly make: (draw: Draw) => string;
  readonly first: readonly string[];
  readonly second: readonly string[];
}

/** Values of named services that have no prefix of their own. */
export const toldByContext: Readonly<Record<string, ToldByContext>> = {
  'aws-secret-key': {
    make: (draw) => draw.chars(base64, 40),
    first: [
      'AWS_SECRET_ACCESS_KEY={} terraform apply',
      'aws_secret_access_key = {}\nregion = eu-west-1',
      '{"AccessKeyId":"…","SecretAccessKey":"{}"}',
    ],
    second: [
      'provider aws: secret_key = "{}" is not valid',
      'export AWS_SECRET_ACCESS_KEY="{}"',
      'aws configure set aws_secret_access_key {}',
    ],
  },
  'aws-session-token': {
    make: (draw) => `IQoJb3JpZ2luX2VjE${draw.chars(base64, 280)}==`,
    first: ['AWS_SESSION_TOKEN={}', 'aws_session_token={}\nAn error occurred (ExpiredToken)'],
    second: ['"SessionToken": "{}",', 'X-Amz-Security-Token: {}'],
  },
  'twilio-auth-token': {
    make: (draw) => draw.chars(hex, 32),
    first: ['TWILIO_AUTH_TOKEN={}', 'twilio: authToken: "{}" is wrong'],
    second: ['twilio login failed, auth_token={}', '{"twilioAuthToken":"{}"}'],
  },
  'datadog-api-key': {
    make: (draw) => draw.chars(hex, 32),
    first: [
      'DD_API_KEY={} datadog-ci sbom upload',
      'curl -H "DD-API-KEY: {}" https://api.datadoghq.eu',
    ],
    second: ['datadog: apiKey: {}', 'DATADOG_API_KEY={}\ndatadog-ci: 403 Forbidden'],
  },
  'datadog-app-key': {
    make: (draw) => draw.chars(hex, 40),
    first: ['DD_APP_KEY={}', 'DD-APPLICATION-KEY: {}'],
    second: ['DD_APPLICATION_KEY="{}"', '?api_key=x&application_key={}'],
  },
  'pagerduty-key': {
    make: (draw) => `u+${draw.chars(base62, 18)}`,
    first: ['Authorization: Token token={}', 'PAGERDUTY_TOKEN={}'],
    second: ['pd_api_key: {}', 'pagerduty api token = "{}"'],
  },
  'heroku-uuid-key': {
    make: uuid,
    first: ['HEROKU_API_KEY={} git push heroku main', 'https://heroku:{}@git.heroku.com/shop.git'],
    second: [
      'machine api.heroku.com\n  login deploy@acme.example\n  password {}',
      'heroku_api_key: "{}"',
    ],
  },
  'snyk-uuid-token': {
    make: uuid,
    first: ['SNYK_TOKEN={} snyk test', 'snyk auth {}'],
    second: ['snyk_token: {}', '--env SNYK_TOKEN={}'],
  },
  'vercel-token': {
    make: (draw) => draw.chars(base62, 24),
    first: ['vercel deploy --prod --token {}', 'VERCEL_TOKEN={}'],
    second: [
      'vercel --token={} --prod\nError: The specified token is not valid',
      '"vercelToken": "{}"',
    ],
  },
  'cloudflare-token': {
    make: (draw) => draw.chars(base64url, 40),
    first: ['CLOUDFLARE_API_TOKEN={} wrangler deploy', 'Authorization: Bearer {}'],
    second: [
      'CF_API_TOKEN: {}',
      '$ curl -H "Authorization: Bearer {}" https://api.cloudflare.com/client/v4',
    ],
  },
  'cloudflare-global-key': {
    make: (draw) => draw.chars(hex, 37),
    first: ['X-Auth-Key: {}', 'CLOUDFLARE_API_KEY={}'],
    second: ["-H 'X-Auth-Key: {}'", 'cloudflare_api_key = "{}"'],
  },
  'okta-token': {
    make: (draw) => `00${draw.chars(base64url, 40)}`,
    first: ['Authorization: SSWS {}', 'OKTA_API_TOKEN={}'],
    second: [
      'okta: apiToken: "{}"',
      'curl -H "Authorization: SSWS {}" https://acme.okta.com/api/v1/users',
    ],
  },
  'jenkins-token': {
    make: (draw) => `11${draw.chars(hex, 32)}`,
    first: [
      'curl --user deploy:{} https://jenkins.example.com/job/x/build',
      'JENKINS_API_TOKEN={}',
    ],
    second: [
      'java -jar jenkins-cli.jar -auth deploy:{} build shop',
      'https://deploy:{}@jenkins.example.com/job/shop',
    ],
  },
  'vault-legacy': {
    make: (draw) => `s.${draw.chars(base62, 24)}`,
    first: ['VAULT_TOKEN={} vault kv get secret/shop', 'X-Vault-Token: {}'],
    second: ['vault login {}', 'token                {}\ntoken_accessor       n4X1'],
  },
  'azure-storage-key': {
    make: (draw) => bytesIn64(draw, 64),
    first: [
      'DefaultEndpointsProtocol=https;AccountName=shop;AccountKey={};EndpointSuffix=core.windows.net',
      'az storage blob list --account-name shop --account-key {}',
    ],
    second: ['AZURE_STORAGE_KEY={}', 'azure: AccountKey={}; is malformed'],
  },
  'azure-service-bus': {
    make: (draw) => bytesIn64(draw, 32),
    first: [
      'Endpoint=sb://shop.servicebus.windows.net/;SharedAccessKeyName=Root;SharedAccessKey={}',
    ],
    second: [
      'SharedAccessKey={};EntityPath=orders',
      'HostName=hub.azure-devices.net;DeviceId=a;SharedAccessKey={}',
    ],
  },
  'azure-sas': {
    make: (draw) => encodeURIComponent(bytesIn64(draw, 32)),
    first: [
      'https://shop.blob.core.windows.net/build/a.zip?sv=2024-05-04&se=2026-04-01&sr=b&sp=r&sig={}',
    ],
    second: [
      'azcopy: cannot read https://x.blob.core.windows.net/c?sp=racw&spr=https&sig={}&st=2026-01-01',
      'SharedAccessSignature sr=shop&sig={}&se=1767225600&skn=Root',
    ],
  },
  'azure-function-code': {
    make: (draw) => `${draw.chars(base64url, 44)}AzFu${draw.chars(base64url, 6)}==`,
    first: ['https://hook.azurewebsites.net/api/deployed?code={}'],
    second: ['x-functions-key: {}', 'POST https://a.azurewebsites.net/api/run?id=3&code={} 401'],
  },
  'aws-signed-url': {
    make: (draw) => draw.chars(hex, 64),
    first: [
      'https://b.s3.amazonaws.com/app.tgz?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Expires=900&X-Amz-Signature={}',
    ],
    second: [
      'GET https://s3.eu-west-1.amazonaws.com/b/k?X-Amz-Signature={}&X-Amz-Date=20260301T101112Z 403',
    ],
  },
  'npmrc-legacy-auth': {
    make: (draw) => Buffer.from(`deploy:${plainPassword(draw)}`).toString('base64'),
    first: ['//npm.example.com/:_auth={}', '_auth = "{}"\nemail = ci@acme.example'],
    second: ['npm config set //npm.example.com/:_auth {}', 'npm_config__auth={}'],
  },
  'npmrc-uuid-token': {
    make: uuid,
    first: ['//npm.example.com/:_authToken={}', '//registry.example.com/:_authToken="{}"'],
    second: [
      'npm config set //npm.example.com/:_authToken {}',
      '+ echo //npm.example.com/:_authToken={}',
    ],
  },
  'docker-config-auth': {
    make: (draw) => Buffer.from(`deploy:${plainPassword(draw)}`).toString('base64'),
    first: ['{"auths":{"registry.example.com":{"auth":"{}"}}}'],
    second: [
      '"auths": {\n  "ghcr.io": {\n    "auth": "{}"\n  }\n}',
      '{\\"auths\\":{\\"r.example.com\\":{\\"auth\\":\\"{}\\"}}}',
    ],
  },
  'kubeconfig-key': {
    make: (draw) =>
      Buffer.from(`-----BEGIN RSA PRIVATE KEY-----\n${bytesIn64(draw, 300)}`).toString('base64'),
    first: ['users:\n- name: deploy\n  user:\n    client-key-data: {}\n'],
    second: ['error: client-key-data: {} is not PEM', 'client-key-data: "{}"'],
  },
  'kube-static-token': {
    make: (draw) => `${draw.chars(lower + digits, 6)}.${draw.chars(lower + digits, 16)}`,
    first: ['kubeadm join 10.0.0.1:6443 --token {} --discovery-token-ca-cert-hash sha256:ab'],
    second: ['kubectl --token={} get pods'],
  },
  'confluent-secret': {
    make: (draw) => draw.chars(base64, 64),
    first: [
      'sasl.jaas.config=org.apache.kafka.common.security.plain.PlainLoginModule required username="X" password="{}";',
    ],
    second: ['CONFLUENT_API_SECRET={}', 'sasl.password={}'],
  },
  'elastic-api-key': {
    make: (draw) =>
      Buffer.from(`${draw.chars(base64url, 20)}:${draw.chars(base64url, 22)}`).toString('base64'),
    first: ['Authorization: ApiKey {}', 'ELASTIC_API_KEY={}'],
    second: ['curl -H "Authorization: ApiKey {}" https://es:9200', 'elasticsearch.apiKey: "{}"'],
  },
  'google-refresh-token': {
    make: (draw) => `1//0${draw.chars(digits, 1)}${draw.chars(base64url, 98)}`,
    first: ['"refresh_token": "{}"', 'refresh_token={}&grant_type=refresh_token'],
    second: ['gcloud: refresh token {} was revoked', 'GOOGLE_REFRESH_TOKEN={}'],
  },
  'gitlab-runner-legacy': {
    make: (draw) => `GR1348941${draw.chars(base64url, 20)}`,
    first: ['gitlab-runner register --registration-token {}', 'REGISTRATION_TOKEN={}'],
    second: ['runner: {} was refused', '[[runners]]\n  token = "{}"'],
  },
  'codecov-token': {
    make: uuid,
    first: ['CODECOV_TOKEN={}', 'codecov -t {}'],
    second: ['codecov_token: {}', 'bash <(curl -s https://codecov.io/bash) -t {}'],
  },
  'firebase-ci-token': {
    make: (draw) => `1//0${draw.chars(digits, 1)}${draw.chars(base64url, 60)}`,
    first: ['firebase deploy --token "{}"', 'FIREBASE_TOKEN={}'],
    second: ["firebase deploy --token '{}' --only hosting", 'Using FIREBASE_TOKEN {}'],
  },
  'rails-master-key': {
    make: (draw) => draw.chars(hex, 32),
    first: ['RAILS_MASTER_KEY={} bin/rails db:migrate', 'SECRET_KEY_BASE={}{}'],
    second: ['config/master.key: RAILS_MASTER_KEY="{}"', 'secret_key_base: {}'],
  },
  'django-secret-key': {
    make: (draw) => draw.chars(`${lower}${digits}!@#$%^&*(-_=+)`, 50),
    first: ["SECRET_KEY = '{}'", "settings.SECRET_KEY='{}'"],
    second: ['DJANGO_SECRET_KEY="{}"', "SECRET_KEY: '{}'"],
  },
  'cookie-session': {
    make: (draw) => draw.chars(base64url, 40),
    first: ['Cookie: sessionid={}; theme=dark', 'Set-Cookie: JSESSIONID={}; Path=/; HttpOnly'],
    second: [
      "curl -b 'session={}' https://admin.example.com",
      'set-cookie: connect.sid={}; Path=/',
    ],
  },
  'bearer-opaque': {
    make: (draw) => draw.chars(base64url, draw.whole(24, 64)),
    first: [
      'Authorization: Bearer {}',
      "curl -H 'Authorization: Bearer {}' https://api.example.com",
    ],
    second: [
      '{"Authorization":"Bearer {}"}',
      'headers: authorization=Bearer {} user-agent=curl/8.5.0',
      'authorization: bearer {}',
    ],
  },
  'basic-header': {
    make: (draw) => Buffer.from(`deploy:${plainPassword(draw)}`).toString('base64'),
    first: ['Authorization: Basic {}', "curl -H 'Authorization: Basic {}' https://api.example.com"],
    second: ['Proxy-Authorization: Basic {}', '"authorization":"Basic {}"'],
  },
  'own-header': {
    make: (draw) => draw.chars(base62, 32),
    first: ['X-Api-Key: {}', 'curl -H "PRIVATE-TOKEN: {}" https://git.example.com/api/v4/projects'],
    second: ["-H 'x-api-key: {}'", 'X-Auth-Token: {}', 'JOB-TOKEN: {}'],
  },
  'query-secret': {
    make: (draw) => draw.chars(base62, 32),
    first: [
      'https://api.example.com/v1/deploys?api_key={}',
      'GET /hooks/deploy?access_token={}&ref=main 500',
      'https://git.example.com/a.tgz?private_token={}',
    ],
    second: [
      'https://api.example.com/v1?ref=main&apikey={}',
      'POST https://hooks.example.com/x?token={} timed out',
      'https://api.example.com/oauth?client_id=deploy&client_secret={}',
    ],
  },
  'hash-of-password': {
    make: (draw) =>
      draw.pick([
        () => `$2y$10$${draw.chars(`${base62}./`, 53)}`,
        () => `$6$${draw.chars(base62, 12)}$${draw.chars(`${base62}./`, 86)}`,
        () => `$argon2id$v=19$m=65536,t=3,p=4$${draw.chars(base64, 22)}$${draw.chars(base64, 43)}`,
      ])(),
    first: ['deploy:{}', 'htpasswd: cannot parse line 3: admin:{}'],
    second: ['useradd -m deploy -p {}', 'admin:{}:19700:0:99999:7:::'],
  },
  'account-sid-and-token': {
    make: (draw) => draw.chars(hex, 32),
    first: [`curl -u AC${'0a1b2c3d'.repeat(4)}:{} https://api.twilio.com/2010-04-01`],
    second: [`https://AC${'0a1b2c3d'.repeat(4)}:{}@api.twilio.com/2010-04-01/Accounts`],
  },
  'ldap-bind': {
    make: password,
    first: ['ldapsearch -x -D cn=admin,dc=acme -w {} -b dc=acme', 'LDAP_BIND_PASSWORD={}'],
    second: ['ldap: bindPassword: {}', "ldapmodify -D cn=admin -w '{}'"],
  },
  'upper-code': {
    make: (draw) => draw.chars(upper + digits, 24),
    first: ['LICENSE_SECRET={}', 'client_secret: {}'],
    second: ['"clientSecret":"{}"', 'ENCRYPTION_KEY={}'],
  },
};
