/** The file of an embedded installation, in its folder. */
export const databaseName = 'plimsoll.db';
