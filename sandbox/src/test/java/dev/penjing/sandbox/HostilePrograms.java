package dev.penjing.sandbox;

import java.util.LinkedHashMap;
import java.util.Map;

/// Programs that try to get out, each with the beginning of what becomes of it. `FILE` stands for a
/// file that is there, `NEW` for one that is not.
final class HostilePrograms {
    private static final String DENIED = "PermissionError: [Errno 1] Operation not permitted";
    private static final String FORBIDDEN = "not in the sandbox: ";

    private HostilePrograms() {}

    /// Ends by itself, by being denied what it wants.
    static Map<String, String> denied() {
        var programs = new LinkedHashMap<String, String>();
        programs.put("import os; assert os.system('touch NEW') != 0", FORBIDDEN);
        programs.put("import os; os.fork()", "AttributeError");
        programs.put("import os; os.execv('/bin/touch', ['touch', 'NEW'])", DENIED);
        programs.put("import subprocess; subprocess.run(['/bin/touch', 'NEW'])", DENIED);
        programs.put("import subprocess; subprocess.run('touch NEW', shell=True)", DENIED);
        programs.put(
                "import multiprocessing as m; p = m.Process(target=print); p.start(); p.join()",
                FORBIDDEN);
        programs.put(
                "import threading; threading.Thread(target=print).start()",
                FORBIDDEN + "Creating threads is not allowed");

        programs.put("open('FILE').read()", DENIED);
        programs.put("open('NEW', 'w').write('x')", DENIED);
        programs.put("import os; os.write(os.open('NEW', os.O_CREAT | os.O_RDWR), b'x')", DENIED);
        programs.put("import os; os.remove('FILE')", FORBIDDEN);
        programs.put("import os; os.rename('FILE', 'NEW')", DENIED);
        programs.put("import os; os.symlink('FILE', 'NEW')", DENIED);
        programs.put("import os; os.mkdir('NEW')", DENIED);
        programs.put("import os; os.listdir('/')", DENIED);
        programs.put("import os; os.listdir('.')", DENIED);
        programs.put("import os; assert list(os.walk('/')) != []", "AssertionError");
        programs.put("import os; os.chdir('/')", FORBIDDEN);
        programs.put("import shutil; shutil.copy('FILE', 'NEW')", DENIED);
        programs.put("import pathlib; pathlib.Path('FILE').read_text()", DENIED);
        programs.put("import tempfile; tempfile.TemporaryFile()", FORBIDDEN);
        // Python's own library may be read, and nothing from there
        programs.put("import os; open(os.__file__, 'a').write('x')", DENIED);
        programs.put(
                "import os; open(os.path.dirname(os.__file__) + '/../' * 40 + 'FILE').read()",
                DENIED);

        programs.put("import socket; socket.create_connection(('127.0.0.1', PORT), 1)", FORBIDDEN);
        programs.put("import socket; socket.socket().bind(('127.0.0.1', 0))", FORBIDDEN);
        programs.put("import socket; socket.gethostbyname('localhost')", FORBIDDEN);
        programs.put("import urllib.request as u; u.urlopen('http://127.0.0.1:PORT/')", FORBIDDEN);

        programs.put("import ctypes; ctypes.CDLL(None)", "ImportError");
        programs.put("import _ctypes; _ctypes.dlopen('libc.so.6', 0)", "");
        programs.put("import java; java.lang.System.exit(3)", "AttributeError");
        programs.put("import java; java.type('java.lang.System').exit(3)", "KeyError");
        programs.put("from java.lang import Runtime", "KeyError");
        programs.put(
                "import polyglot; polyglot.eval(language='nfi', string='default')",
                "RuntimeError: polyglot access is not allowed");
        programs.put(
                "import polyglot; polyglot.eval(language='js', string='1')",
                "RuntimeError: polyglot access is not allowed");
        programs.put("import polyglot; polyglot.import_value('x')", "NotImplementedError");
        programs.put(
                "import os; assert 'PATH' in os.environ or 'HOME' in os.environ", "AssertionError");
        programs.put("import os; os.kill(os.getpid(), 9)", "ProcessLookupError");
        programs.put("import os; os.kill(os.getppid(), 9)", FORBIDDEN);

        // to answer in the worker's name
        programs.put(
                "import os\nfor fd in range(3, 64):\n  try: os.write(fd, b'\\1' * 64)\n  except OSError: pass\nassert False",
                "AssertionError");
        programs.put(
                "import os; os.write(1, b'\\1' * 64); os.close(1); os.close(2); assert False",
                "AssertionError");
        programs.put(
                "import sys; sys.stdout.write('passed\\n'); sys.stdout.flush(); sys.exit(0)",
                "SystemExit");
        programs.put("import sys; sys.exit()", "SystemExit");
        programs.put("raise SystemExit(0)", "SystemExit");
        programs.put("import os; os._exit(0)", "SystemExit");
        programs.put(
                "import atexit, os; atexit.register(os._exit, 0); assert False", "AssertionError");
        programs.put("raise KeyboardInterrupt", "KeyboardInterrupt");
        programs.put("raise BaseException('no')", "BaseException: no");
        programs.put("raise GeneratorExit", "GeneratorExit");
        programs.put(
                "import builtins; builtins.AssertionError = None; assert False", "AssertionError");
        programs.put(
                "class E(Exception):\n  def __str__(self): return 'x' * 10**7\nraise E", "E: xxx");
        programs.put("class E(Exception):\n  def __str__(self): raise self\nraise E", "E");
        programs.put("raise ValueError('a\\nb\\x1b[2J')", "ValueError: a");
        programs.put("raise ValueError('\\x1b[2J\\ud800')", "ValueError: ?[2J?");

        programs.put("input()", "EOFError");
        programs.put("import sys; assert sys.stdin.read() != ''", "AssertionError");
        programs.put("def f(): return f()\nf()", "RecursionError");
        programs.put(
                "import sys; sys.setrecursionlimit(10**9)\ndef f(n): return f(n + 1)\nf(0)",
                "RecursionError");
        programs.put("eval('(' * 100000 + ')' * 100000)", "SyntaxError");
        programs.put("x = 3 ** (10 ** 10)", "");
        programs.put("x = 'a' * 10**10", "OverflowError");
        programs.put("x = bytearray(10**10)", "OverflowError");
        programs.put("list(range(10**10))", "OverflowError");
        programs.put("def f(:", "SyntaxError");
        programs.put("x = 1\0", "SyntaxError");
        programs.put("import numpy", "ModuleNotFoundError");
        return programs;
    }

    /// Would not end by itself: all but the last can be told to, and the last ends with its
    /// process.
    static Map<String, String> endless() {
        var programs = new LinkedHashMap<String, String>();
        String timedOut = "timed out after 2 s";
        programs.put("while True: pass", timedOut);
        programs.put(
                "while True:\n  try:\n    while True: pass\n  except BaseException: pass",
                timedOut);
        programs.put("try:\n  while True: pass\nfinally:\n  while True: pass", timedOut);
        programs.put("while True: print('x' * 100000)", timedOut);
        programs.put(
                "class E(Exception):\n  def __str__(self):\n    while True: pass\nraise E",
                timedOut);
        programs.put("import re; re.match(r'(a*)*\\1b', 'a' * 40)", timedOut);
        programs.put("x = 3 ** (10 ** 9)", timedOut);
        return programs;
    }

    /// Means harm to its process.
    static Map<String, String> deadly() {
        var programs = new LinkedHashMap<String, String>();
        programs.put("import signal; signal.raise_signal(signal.SIGTERM)", "");
        programs.put("x = []\nwhile True: x.append(bytearray(10 ** 7))", "out of memory (256 MB)");
        programs.put("x = []\nwhile True: x.append([None] * 10 ** 6)", "out of memory (256 MB)");
        return programs;
    }
}
