using FastXen.Tests;

namespace FastXen.EndToEnd.Tests;

/// <summary><c>fastxen run --lockstep</c>: both engines agree about whole guests.</summary>
public class LockstepTests
{
    [Fact]
    public void The_demo_is_the_same_on_both_engines()
    {
        (int code, string output, string errors) = FastXenProcess.Run("run", "guests/demo.json", "--lockstep");
        Assert.Contains("all passed, powering off", output);
        Assert.Matches("^fastxen: demo: the engines agree over [0-9]{6,} instructions\n$", errors);
        Assert.Equal(0, code);
    }

    [KitFact]
    public void Linux_is_the_same_on_both_engines_from_its_first_instruction_through_the_user_tests()
    {
        (int code, string output, string errors) = FastXenProcess.Run(
            "run", "guests/linux.json", "--kernel", Kit.File("vmlinux.gz"), "--initrd", Kit.File("initramfs.cpio.gz"),
            "--cmdline", "console=ttyS0 kit.run=/tests/run", "--memory", "256M", "--lockstep");
        Assert.Matches("^fastxen: linux: the engines agree over [0-9]{9,} instructions\n$", errors);
        Assert.Contains("kit-tests: PASS", output);
        Assert.Equal(0, code);
    }

    [KitFact]
    public void What_is_typed_comes_from_a_file()
    {
        string typed = Path.GetTempFileName();
        try
        {
            File.WriteAllText(typed, "echo $((6*7))-typed\npoweroff -f\n");
            (int code, string output, string errors) = FastXenProcess.Run(
                "run", "guests/linux.json", "--kernel", Kit.File("vmlinux.gz"), "--initrd", Kit.File("initramfs.cpio.gz"),
                "--memory", "256M", "--lockstep", "--input", typed);
            Assert.Contains("42-typed", output);
            Assert.Contains("the engines agree over", errors);
            Assert.Equal(0, code);
        }
        finally
        {
            File.Delete(typed);
        }
    }

    [Fact]
    public void Input_needs_lockstep()
    {
        (int code, _, string errors) = FastXenProcess.Run("run", "guests/demo.json", "--input", "x");
        Assert.Equal(2, code);
        Assert.Equal("fastxen: command line: --input goes with --lockstep only\n", errors);
    }
}
