// Makes the lone MongoDB a replica set and gives OrderHub a user of its own. Safe to run again.
const admin = db.getSiblingDB('admin');
try {
  rs.initiate({ _id: 'orderhub', members: [{ _id: 0, host: 'mongo:27017' }] });
} catch (error) {
  if (error.codeName !== 'AlreadyInitialized') throw error;
}
while (!admin.hello().isWritablePrimary) sleep(200);

const user = { pwd: process.env.MONGO_PASSWORD, roles: [{ role: 'readWrite', db: 'orderhub' }] };
if (admin.getUser('orderhub')) admin.updateUser('orderhub', user);
else admin.createUser({ user: 'orderhub', ...user });
