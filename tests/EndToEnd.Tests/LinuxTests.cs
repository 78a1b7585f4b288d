using FastXen.Tests;

namespace FastXen.EndToEnd.Tests;

/// <summary>The kit's Linux, driven over its console.</summary>
public class LinuxTests
{
    private const string Prompt = "# ";

    private static FastXenProcess Boot(string commandLine = "", params string[] more) => new(
        [
            "run", "guests/linux.json", "--kernel", Kit.File("vmlinux.gz"), "--initrd", Kit.File("initramfs.cpio.gz"),
            "--cmdline", $"console=ttyS0 {commandLine}", .. more,
        ]);

    private static void ExpectShell(FastXenProcess guest)
    {
        guest.Expect("kit: up, Linux 6.1");
        guest.Expect(Prompt);
    }

    // The terminal echoes the command, wrapped as it likes, but not what the shell makes of the sums.
    private static string Shell(FastXenProcess guest, string command)
    {
        guest.Send($"echo \"<$((40+2))>\"; {command}; echo \"<$((40+3))>\"\n");
        guest.Expect("<42>\n");
        string output = guest.Expect("<43>\n");
        guest.Expect(Prompt);
        return output;
    }

    [KitFact]
    public void Linux_boots_to_a_shell_and_powers_off()
    {
        using FastXenProcess guest = Boot();
        ExpectShell(guest);
        Assert.Equal("ia64\n", Shell(guest, "uname -m"));
        string processors = Shell(guest, "cat /proc/cpuinfo");
        Assert.Contains("vendor     : GenuineIntel", processors);
        Assert.Contains("family     : 32", processors);
        string interrupts = Shell(guest, "cat /proc/interrupts");
        Assert.Contains("timer", interrupts);
        Assert.Contains("ttyS0", interrupts);
        string log = Shell(guest, "dmesg");
        Assert.Contains("Linux version 6.1", log);
        Assert.Contains("ttyS0 at I/O 0x3f8", log);
        Assert.DoesNotContain("unaligned access", log);
        guest.Send("poweroff -f\n");
        Assert.Equal(0, guest.WaitForExit());
    }

    [KitFact]
    public void The_user_tests_of_the_kit_pass()
    {
        // Its test of signals counts timer ticks until time() shows the next second, which may come at once: not with time that is counted.
        using FastXenProcess guest = Boot("kit.run=/tests/run", "--clock", "deterministic");
        guest.Expect("kit-tests: PASS");
        guest.Expect("kit: exit 0");
        Assert.Equal(0, guest.WaitForExit());
    }

    [KitFact]
    public void A_disk_keeps_what_was_written_over_a_reboot()
    {
        string image = Path.GetTempFileName();
        try
        {
            using (FileStream file = File.OpenWrite(image)) file.SetLength(16 << 20);
            using FastXenProcess guest = Boot("kit.disk=/dev/vda", "--disk", image);
            ExpectShell(guest);
            Shell(guest, "echo kept over the $((1+1))nd boot > /mnt/note; umount /mnt");
            guest.Send("reboot -f\n");
            ExpectShell(guest);
            Assert.Equal("kept over the 2nd boot\n", Shell(guest, "cat /mnt/note"));
            guest.Send("poweroff -f\n");
            Assert.Equal(0, guest.WaitForExit());
        }
        finally
        {
            File.Delete(image);
        }
    }

    [KitFact]
    public void A_small_guest_with_a_network_card_reaches_its_gateway()
    {
        string config = Path.Combine(Path.GetTempPath(), $"fastxen-{Guid.NewGuid():n}.json");
        try
        {
            File.WriteAllText(config, $$"""
                {
                  "kernel": "{{Kit.File("vmlinux.gz")}}", "initrd": "{{Kit.File("initramfs.cpio.gz")}}", "memory": "100M",
                  "commandLine": "console=ttyS0", "network": [{}]
                }
                """);
            using FastXenProcess guest = new("run", config);
            ExpectShell(guest);
            Shell(guest, "ifconfig eth0 10.0.2.15");
            Assert.Contains("1 packets received", Shell(guest, "ping -c 1 10.0.2.2"));
            guest.Send("poweroff -f\n");
            Assert.Equal(0, guest.WaitForExit());
        }
        finally
        {
            File.Delete(config);
        }
    }

    [KitFact]
    public void A_signal_says_what_it_waits_for_where_nobody_obeys_the_power_button()
    {
        // The kernel listens, but there is no acpid.
        using FastXenProcess guest = Boot("", "--grace", "1");
        ExpectShell(guest);
        guest.Signal("TERM");
        Assert.Equal(128 + 15, guest.WaitForExit());
        Assert.Equal("fastxen: linux was asked to shut down, 1 s from now at the latest; another signal stops it at once\n", guest.Errors);
    }

    [KitFact]
    public void Two_deterministic_boots_print_the_same()
    {
        string Console()
        {
            using FastXenProcess guest = Boot("kit.run=/bin/dmesg", "--clock", "deterministic");
            guest.Expect("kit: exit 0");
            Assert.Equal(0, guest.WaitForExit());
            return guest.Output;
        }

        Assert.Equal(Console(), Console());
    }
}
