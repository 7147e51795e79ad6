import type { ToldByContext } from './told-by-context.ts';
import { password, plainPassword } from './passwords.ts';

/** Passwords in addresses, settings, flags and speech. */
export const passwordsInContext: Readonly<Record<string, ToldByContext>> = {
  'basic-auth-url': {
    make: plainPassword,
    first: [
      'https://deploy:{}@nexus.example.com/repository/releases',
      'fatal: unable to access https://ci:{}@git.example.com/shop.git/: 403',
    ],
    second: [
      'pip: Looking in indexes: https://build:{}@pypi.example.com/simple',
      'git remote set-url origin https://oauth2:{}@gitlab.example.com/acme/shop.git',
      'https_proxy=http://proxyuser:{}@proxy.example.com:3128',
    ],
  },
  postgres: {
    make: plainPassword,
    first: [
      'postgres://shop:{}@db.internal:5432/shop',
      'DATABASE_URL=postgresql://shop:{}@10.1.2.3/shop?sslmode=require',
    ],
    second: [
      'psql: error: connection to postgresql://app:{}@db/app failed',
      'host=db user=shop password={} dbname=shop',
      'postgresql+asyncpg://u:{}@db/app',
    ],
  },
  mysql: {
    make: plainPassword,
    first: ['mysql://root:{}@mysql:3306/shop', 'mysql2://shop:{}@db/shop: Access denied'],
    second: ['mysql+pymysql://shop:{}@db:3306/shop', 'shop:{}@tcp(db:3306)/shop?parseTime=true'],
  },
  mongodb: {
    make: plainPassword,
    first: [
      'mongodb+srv://shop:{}@cluster0.ab12c.mongodb.net/shop',
      'MongoServerError at mongodb://root:{}@m1:27017,m2:27017/?replicaSet=rs0',
    ],
    second: [
      'mongosh "mongodb+srv://c.ab12c.mongodb.net" --username shop --password {}',
      'MONGO_URI=mongodb://a:{}@mongo/db',
    ],
  },
  redis: {
    make: plainPassword,
    first: ['redis://:{}@cache:6379/0', 'rediss://default:{}@cache.upstash.io:6379'],
    second: ['redis-cli -h cache -a {} ping', 'requirepass {}', 'REDIS_URL=redis://:{}@cache/1'],
  },
  amqp: {
    make: plainPassword,
    first: ['amqp://shop:{}@rabbit:5672/vhost', 'amqps://u:{}@b-1.mq.eu-west-1.amazonaws.com:5671'],
    second: ['celery: Cannot connect to amqp://guest2:{}@rabbit//', 'nats://deploy:{}@nats:4222'],
  },
  jdbc: {
    make: plainPassword,
    first: [
      'jdbc:postgresql://db:5432/shop?user=shop&password={}',
      'jdbc:sqlserver://db:1433;databaseName=shop;user=sa;password={};encrypt=true',
    ],
    second: [
      'jdbc:oracle:thin:shop/{}@//db:1521/XE',
      'jdbc:mysql://db/shop?password={}&user=shop',
      '-Dspring.datasource.password={}',
    ],
  },
  'sql-server': {
    make: plainPassword,
    first: [
      'Server=tcp:shop.database.windows.net,1433;User ID=sa;Password={};Encrypt=True;',
      'Data Source=db;Uid=sa;Pwd={};',
    ],
    second: [
      'sqlcmd -S db -U sa -P {} -Q "select 1"',
      'Server=db;Database=shop;User Id=sa;Password="{}"',
    ],
  },
  'password-assigned': {
    make: password,
    first: [
      'password={}',
      'DB_PASSWORD={}',
      'db.password = {}',
      'POSTGRES_PASSWORD: {}',
      'passwd={}',
    ],
    second: [
      'pwd: {}',
      'MYSQL_ROOT_PASSWORD={}',
      'SMTP_PASS={}',
      'adminPassword: "{}"',
      'spring.datasource.password={}',
      'DB_PASSWD={}',
    ],
  },
  'password-in-json': {
    make: password,
    first: ['{"user":"deploy","password":"{}"}', '{"db":{"pass":"{}"}}', '{"passphrase": "{}"}'],
    second: [
      '{\\"password\\":\\"{}\\",\\"user\\":\\"a\\"}',
      "{'username': 'deploy', 'password': '{}'}",
      '"userPassword": "{}"',
    ],
  },
  'secret-assigned': {
    make: (draw) => plainPassword(draw),
    first: ['JWT_SECRET={}', 'app.secret={}', 'WEBHOOK_SECRET: {}', 'SESSION_SECRET="{}"'],
    second: ['signing_secret={}', 'NEXTAUTH_SECRET={}', '"secret":"{}"', 'HMAC_KEY={}'],
  },
  'token-assigned': {
    make: (draw) => plainPassword(draw),
    first: ['token={}', 'DEPLOY_TOKEN={}', 'ACCESS_TOKEN: {}', '"token": "{}"'],
    second: ['auth_token = "{}"', 'accessToken: {}', 'export CI_JOB_TOKEN={}', 'apiToken={}'],
  },
  'key-assigned': {
    make: (draw) => plainPassword(draw),
    first: ['API_KEY={}', 'apikey: {}', '"apiKey":"{}"', 'PRIVATE_KEY={}'],
    second: ['api-key = {}', 'ACCESS_KEY={}', 'X_API_KEY="{}"', 'ALGOLIA_ADMIN_KEY={}'],
  },
  'docker-login': {
    make: password,
    first: [
      'docker login -u ci -p {} registry.example.com',
      'docker login registry.example.com --username ci --password {}',
    ],
    second: [
      '+ docker login -p {} -u ci ghcr.io\nError response from daemon: denied',
      'podman login -u ci -p={} quay.io',
      "helm registry login r.example.com -u ci -p '{}'",
    ],
  },
  'mysql-flag': {
    make: plainPassword,
    first: ['mysql -h db -u root -p{} shop < dump.sql', 'mysqldump --user=root --password={} shop'],
    second: [
      "mysqladmin -uroot -p'{}' ping",
      'mariadb -u shop -p{} -e "select 1"',
      'MYSQL_PWD={} mysql -u root',
    ],
  },
  'curl-user': {
    make: plainPassword,
    first: [
      'curl -u deploy:{} https://nexus.example.com/a.jar',
      'curl --user deploy:{} -T app.war https://tomcat/manager',
    ],
    second: [
      'curl -fsS -u "deploy:{}" https://x.example.com',
      'wget --user=ci --password={} https://x.example.com/a',
      'http -a ci:{} PUT https://x.example.com',
      'curl -udeploy:{} https://x.example.com',
    ],
  },
  'password-flag': {
    make: password,
    first: [
      './deploy --user ci --password {}',
      'cf login -a https://api.example.com -u ci --password={}',
      "app --db-password '{}' migrate",
    ],
    second: [
      'az login --service-principal -u id --password {} --tenant t',
      'oc login --username=ci --password={} https://k8s:6443',
      'cf login -u ci -p {} -o acme',
      'argocd login argo.example.com --username admin --password "{}"',
    ],
  },
  'token-flag': {
    make: plainPassword,
    first: [
      'flyctl deploy --access-token {}',
      'oc login --token={} --server=https://k8s:6443',
      'tool publish --api-key {}',
    ],
    second: [
      'dotnet nuget push a.nupkg --api-key {} -s https://nuget.example.com',
      'sonar-scanner -Dsonar.login={}',
      'sentry-cli --auth-token {} releases new 1.2',
      'twine upload -u __token__ -p {} dist/*',
    ],
  },
  sshpass: {
    make: password,
    first: [
      "sshpass -p '{}' ssh deploy@web-1 ./restart.sh",
      'SSHPASS={} sshpass -e scp app.tgz web-1:',
    ],
    second: ['sshpass -p{} rsync -a dist/ web-1:/srv', 'echo {} | sudo -S systemctl restart shop'],
  },
  'pg-password': {
    make: password,
    first: ['PGPASSWORD={} psql -h db -U shop', 'export PGPASSWORD="{}"'],
    second: ["PGPASSWORD='{}' pg_dump shop", 'db:5432:shop:shop:{}'],
  },
  netrc: {
    make: plainPassword,
    first: [
      'machine git.example.com login ci password {}',
      'machine api.example.com\nlogin ci\npassword {}\n',
    ],
    second: [
      'default login anonymous2 password {}',
      '~/.netrc: machine nexus.example.com login deploy password {} bad syntax',
    ],
  },
  'piped-login': {
    make: password,
    first: [
      'echo {} | docker login -u ci --password-stdin',
      'echo "{}" | docker login --username ci --password-stdin ghcr.io',
    ],
    second: [
      "printf '{}' | docker login -u ci --password-stdin",
      'docker login --password-stdin -u ci <<< {}',
    ],
  },
  'sql-password': {
    make: plainPassword,
    first: ["CREATE USER shop WITH PASSWORD '{}';", "ERROR: ALTER ROLE shop PASSWORD '{}'"],
    second: ["CREATE USER 'shop'@'%' IDENTIFIED BY '{}';", "ALTER LOGIN sa WITH PASSWORD = '{}'"],
  },
  keystore: {
    make: plainPassword,
    first: [
      'keytool -importkeystore -storepass {} -keystore k.jks',
      'openssl pkcs12 -in k.p12 -passin pass:{}',
    ],
    second: [
      'jarsigner -keypass {} app.jar',
      'openssl rsa -in k.pem -passout pass:{}',
      '-Djavax.net.ssl.keyStorePassword={}',
      'storePassword={}',
    ],
  },
  'password-in-speech': {
    make: (draw) => password(draw),
    first: ['the password is {}', 'login with user deploy and password {}'],
    second: ['Password for deploy: {}', "can't log in, pw: {}", 'new root password: {}'],
  },
  'helm-set': {
    make: plainPassword,
    first: [
      'helm upgrade db ./pg --set auth.postgresPassword={}',
      'helm install x --set-string adminPassword={},replicas=2',
    ],
    second: [
      'terraform apply -var db_password={}',
      'terraform plan -var="db_password={}"',
      'docker run -e MYSQL_PASSWORD={} mysql:8',
      'ansible-playbook site.yml -e ansible_become_pass={}',
    ],
  },
  'yaml-secret': {
    make: (draw) => Buffer.from(password(draw)).toString('base64'),
    first: ['kind: Secret\ndata:\n  password: {}\n', 'data:\n  db-password: {}'],
    second: [
      'stringData:\n  token: {}\n',
      'kubectl create secret generic db --from-literal=password={}',
    ],
  },
  'other-address': {
    make: plainPassword,
    first: [
      'sftp://deploy:{}@files.example.com/in',
      'smtp://mailer:{}@smtp.example.com:587',
      'ftp://ci:{}@ftp.example.com/',
    ],
    second: [
      'clickhouse://shop:{}@ch:9440/shop',
      'snowflake://ci:{}@acme.eu-west-1/db',
      'ssh://ci:{}@web-1',
      'ldap://admin:{}@ldap:389',
      'kafka+ssl://u:{}@k:9092',
    ],
  },
};
