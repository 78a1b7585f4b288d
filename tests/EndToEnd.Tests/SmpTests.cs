using System.Globalization;
using FastXen.Tests;

namespace FastXen.EndToEnd.Tests;

/// <summary>
/// The kit's Linux on machines with several processors. <c>FASTXEN_SMP_VCPUS</c>: a list of numbers of processors, such as "8 16 64", with which it boots and
/// passes the user tests.
/// </summary>
public class SmpTests
{
    private static FastXenProcess Boot(int vcpus, string commandLine, params string[] more) => new(
        [
            "run", "guests/linux.json", "--kernel", Kit.File("vmlinux.gz"), "--initrd", Kit.File("initramfs.cpio.gz"),
            "--vcpus", vcpus.ToString(CultureInfo.InvariantCulture), "--cmdline", $"console=ttyS0 {commandLine}", .. more,
        ]);

    private static string Shell(FastXenProcess guest, string command)
    {
        guest.Send($"echo \"<$((40+2))>\"; {command}; echo \"<$((40+3))>\"\n");
        guest.Expect("<42>\n");
        string output = guest.Expect("<43>\n");
        guest.Expect("# ");
        return output;
    }

    // The test of signals counts ticks until the next second, which may begin at once: with time that is counted it does not.
    [KitFact]
    public void Two_processors_pass_the_user_tests_and_two_runs_say_the_same()
    {
        string[] consoles = [.. Enumerable.Range(0, 2).Select(_ =>
        {
            using FastXenProcess guest = Boot(2, "kit.run=/tests/run", "--clock", "deterministic");
            string console = guest.Expect("kit-tests: PASS") + guest.Expect("kit: exit 0");
            Assert.Equal(0, guest.WaitForExit());
            return console;
        })];
        Assert.Contains("2 cpu", consoles[0]);
        Assert.Equal(consoles[0], consoles[1]);
    }

    [KitFact]
    public void Processors_leave_and_come_back()
    {
        using FastXenProcess guest = Boot(4, "");
        guest.Expect("kit: up, Linux 6.1");
        guest.Expect("# ");
        Assert.Equal("0-3\n", Shell(guest, "cat /sys/devices/system/cpu/online"));
        for (int round = 0; round < 2; round++)
        {
            string gone = Shell(guest, "for c in 1 2 3; do echo 0 > /sys/devices/system/cpu/cpu$c/online; done; cat /sys/devices/system/cpu/online");
            Assert.EndsWith("0\n", gone);
            string back = Shell(guest, "for c in 3 1 2; do echo 1 > /sys/devices/system/cpu/cpu$c/online; done; cat /sys/devices/system/cpu/online");
            Assert.EndsWith("0-3\n", back);
        }

        // A process runs where it is put: the field is the processor's number.
        Assert.Equal("0\n1\n2\n3\n", Shell(guest, "for m in 1 2 4 8; do taskset $m cut -d' ' -f39 /proc/self/stat; done"));
        guest.Send("poweroff -f\n");
        Assert.Equal(0, guest.WaitForExit());
    }

    [KitFact]
    public void As_many_processors_as_asked_for_pass_the_user_tests()
    {
        string asked = Environment.GetEnvironmentVariable("FASTXEN_SMP_VCPUS") ?? "";
        foreach (string number in asked.Split(' ', StringSplitOptions.RemoveEmptyEntries))
        {
            int vcpus = int.Parse(number, CultureInfo.InvariantCulture);
            using FastXenProcess guest = Boot(vcpus, "kit.run=/tests/run", "--clock", "deterministic");
            guest.Expect($"{vcpus} cpu");
            guest.Expect("kit-tests: PASS");
            Assert.Equal(0, guest.WaitForExit());
        }
    }
}
