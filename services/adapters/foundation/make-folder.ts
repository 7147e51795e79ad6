import type { Result } from '../../core/result.ts';
import { fail, ok } from '../../core/result.ts';
import { folderFaultOf, makeFolders } from '../system/make-folders.ts';
import { codeOf } from '../system/error-code.ts';
import { keepOutOfGit } from '../system/out-of-git.ts';

/** A folder for a database, made where it is not there. `option`: by what it was named. Throws for a full disk and the like. */
export const makeFolder = async (
  folder: string,
  option: string,
): Promise<
  Result<
    void,
    {
      readonly code: 'folder-invalid' | 'refused';
      readonly message: string;
      readonly hint: string;
    }
  >
> => {
  try {
    const made = await makeFolders(folder);
    if (made !== undefined) await keepOutOfGit(made);
    return ok(undefined);
  } catch (error) {
    const fault = folderFaultOf(error);
    if (fault === undefined) throw error;
    return fail({
      // A disk that takes nothing now is no word that was written wrongly.
      code: codeOf(error) === 'EROFS' ? 'refused' : 'folder-invalid',
      message: `${folder} cannot hold a database: ${fault}`,
      hint: `name a folder that you may write to, or one that can be made, by ${option}`,
    });
  }
};
