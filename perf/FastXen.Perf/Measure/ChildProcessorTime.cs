using System.ComponentModel;
using System.Runtime.InteropServices;

namespace FastXen.Perf.Measure;

/// <summary>Processor time of child processes: hardly longer on a busy machine than on a quiet one, unlike time on the wall.</summary>
internal static unsafe partial class ChildProcessorTime
{
    private const int Children = -1;

    /// <summary>Runs a program to its end; the seconds that its threads were on processors.</summary>
    public static double Of(string program, params string[] arguments)
    {
        double before = Sum();
        (int code, string errors) = TimedRun.Try(program, arguments);
        return code == 0 ? Sum() - before : throw new InvalidOperationException($"{program} {string.Join(' ', arguments)} ended with code {code}: {errors}");
    }

    // Of the children that have ended.
    private static double Sum()
    {
        Usage usage;
        return GetUsage(Children, &usage) == 0 ? usage.UserSeconds + usage.SystemSeconds + ((usage.UserMicroseconds + usage.SystemMicroseconds) / 1e6) : throw new Win32Exception(Marshal.GetLastPInvokeError());
    }

    [LibraryImport("libc", EntryPoint = "getrusage", SetLastError = true)]
    private static partial int GetUsage(int who, Usage* usage);

    [StructLayout(LayoutKind.Sequential, Size = 144)]
    private struct Usage
    {
        public long UserSeconds, UserMicroseconds, SystemSeconds, SystemMicroseconds;
    }
}
