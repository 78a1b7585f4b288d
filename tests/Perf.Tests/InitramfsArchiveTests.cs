using System.Diagnostics;
using System.Text;
using FastXen.Perf.Measure;
using FastXen.Tests;

namespace FastXen.Perf.Tests;

/// <summary>The archive that is added to an initramfs.</summary>
public class InitramfsArchiveTests
{
    [ToolFact("cpio")]
    public void Cpio_reads_it()
    {
        string before = Path.GetTempFileName(), after = Path.GetTempFileName();
        try
        {
            // What precedes it need not end at a multiple of four bytes.
            File.WriteAllText(before, "first");
            InitramfsArchive archive = new();
            archive.AddDirectory("bench");
            archive.AddExecutable("bench/run", Encoding.ASCII.GetBytes("#!/bin/true\n"));
            archive.WriteAfter(before, after);
            byte[] bytes = File.ReadAllBytes(after);
            Assert.Equal("first\0\0\0070701", Encoding.ASCII.GetString(bytes, 0, 14));
            File.WriteAllBytes(before, bytes[8..]);
            ProcessStartInfo start = new("sh", ["-c", $"cpio -tv < {before}"]) { RedirectStandardOutput = true, RedirectStandardError = true };
            using Process process = Process.Start(start)!;
            string[] lines = process.StandardOutput.ReadToEnd().Split('\n', StringSplitOptions.RemoveEmptyEntries);
            process.WaitForExit();
            Assert.Equal(0, process.ExitCode);
            Assert.Equal(2, lines.Length);
            Assert.Matches("^drwxr-xr-x .* bench$", lines[0]);
            Assert.Matches("^-rwxr-xr-x .* 12 .* bench/run$", lines[1]);
        }
        finally
        {
            File.Delete(before);
            File.Delete(after);
        }
    }

    [Theory]
    [InlineData("path system_call 1625123\r", "system_call", 1625.123)]
    [InlineData("path to nowhere 1", null, 0)]
    [InlineData("kit: exit 0", null, 0)]
    public void Lines_of_kernelpaths_are_read(string line, string? name, double nanoseconds)
        => Assert.Equal(name is null ? null : (name, nanoseconds), LinuxRun.ReadPath(line));
}
